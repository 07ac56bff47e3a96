"""A convolutional VAE as its readers write it in Keras 3: functional layers, the KL term as a layer's loss, and `fit`.

Run as `python keras_convolutional.py IMAGES.npy EPOCHS`, the backend by KERAS_BACKEND; report.json is left in the working folder.
"""

import json
import sys
import time

import keras
import numpy as np
from keras import layers, ops

images_file, epochs = sys.argv[1], int(sys.argv[2])
x_train = np.load(images_file).astype("float32") / 255
side, depth = x_train.shape[1], x_train.shape[3]
latent_dim, batch_size, smallest = 32, 128, x_train.shape[1] // 8
x_train = x_train[: len(x_train) // batch_size * batch_size]


class Sampling(layers.Layer):
    """z, and the KL term as this layer's loss."""

    def __init__(self):
        super().__init__()
        self.noise = keras.random.SeedGenerator(1337)

    def call(self, moments):
        mean, log_var = moments
        self.add_loss(-0.5 * ops.mean(ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.noise)


inputs = keras.Input(shape=(side, side, depth))
h = inputs
for width in (32, 64, 128):
    h = layers.Conv2D(width, 4, strides=2, padding="same", activation="relu")(h)
h = layers.Flatten()(h)
z = Sampling()([layers.Dense(latent_dim)(h), layers.Dense(latent_dim)(h)])
h = layers.Reshape((smallest, smallest, 128))(layers.Dense(smallest * smallest * 128, activation="relu")(z))
for width in (64, 32):
    h = layers.Conv2DTranspose(width, 4, strides=2, padding="same", activation="relu")(h)
outputs = layers.Conv2DTranspose(depth, 4, strides=2, padding="same")(h)
vae = keras.Model(inputs, outputs, name="vae")


def reconstruction(x, logits):
    return ops.sum(ops.maximum(logits, 0) - logits * x + ops.log1p(ops.exp(-ops.abs(logits))), axis=(1, 2, 3))


class EpochClock(keras.callbacks.Callback):
    """Wall seconds of each epoch, which `fit` prints only in whole seconds."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


clock = EpochClock()
vae.compile(optimizer=keras.optimizers.Adam(1e-3), loss=reconstruction)
history = vae.fit(x_train, x_train, shuffle=True, epochs=epochs, batch_size=batch_size, callbacks=[clock], verbose=2)
with open("report.json", "w") as file:
    json.dump({"seconds": clock.seconds, "loss": history.history["loss"], "parameters": int(vae.count_params())}, file)
