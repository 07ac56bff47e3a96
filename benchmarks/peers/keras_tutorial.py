"""The tutorial's VAE as its readers write it in Keras 3. The backend is whatever KERAS_BACKEND says.

Run as `python keras_tutorial.py MNIST.npz EPOCHS`; two figures and report.json are left in the working folder.
"""

import json
import sys
import time

import keras
import matplotlib
import numpy as np
from keras import layers, ops

matplotlib.use("Agg")
import matplotlib.pyplot as plt

mnist_file, epochs = sys.argv[1], int(sys.argv[2])

batch_size = 100
original_dim = 784
intermediate_dim = 256
latent_dim = 2

with np.load(mnist_file) as mnist:
    x_train, x_test, y_test = mnist["x_train"], mnist["x_test"], mnist["y_test"]
x_train = x_train.astype("float32").reshape(-1, original_dim) / 255.0
x_test = x_test.astype("float32").reshape(-1, original_dim) / 255.0

noise = keras.random.SeedGenerator(1337)


def sampling(moments):
    z_mean, z_log_var = moments
    epsilon = keras.random.normal(ops.shape(z_mean), seed=noise)
    return z_mean + ops.exp(0.5 * z_log_var) * epsilon


inputs = keras.Input(shape=(original_dim,))
h = layers.Dense(intermediate_dim, activation="relu")(inputs)
z_mean = layers.Dense(latent_dim, name="z_mean")(h)
z_log_var = layers.Dense(latent_dim, name="z_log_var")(h)
draw = layers.Lambda(sampling, output_shape=(latent_dim,), name="z")
draw.noise = noise  # the layer owns the generator's state; the JAX backend would otherwise repeat one draw for ever
z = draw([z_mean, z_log_var])
encoder = keras.Model(inputs, [z_mean, z_log_var, z], name="encoder")

latent_inputs = keras.Input(shape=(latent_dim,))
h = layers.Dense(intermediate_dim, activation="relu")(latent_inputs)
outputs = layers.Dense(original_dim, activation="sigmoid")(h)
decoder = keras.Model(latent_inputs, outputs, name="decoder")

vae = keras.Model(inputs, decoder(encoder(inputs)[2]), name="vae")
vae.summary()


def vae_loss(x, x_decoded):
    z_mean, z_log_var, _ = encoder(x)
    reconstruction = original_dim * keras.losses.binary_crossentropy(x, x_decoded)
    kl = -0.5 * ops.sum(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var), axis=-1)
    return reconstruction + kl


class EpochClock(keras.callbacks.Callback):
    """Wall seconds of each epoch with its validation, which `fit` prints only in whole seconds."""

    def on_train_begin(self, logs=None):
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


clock = EpochClock()
vae.compile(optimizer="rmsprop", loss=vae_loss)
history = vae.fit(
    x_train,
    x_train,
    shuffle=True,
    epochs=epochs,
    batch_size=batch_size,
    validation_data=(x_test, x_test),
    callbacks=[clock],
)

z_test = encoder.predict(x_test, batch_size=batch_size)[0]
plt.figure(figsize=(6, 6))
plt.scatter(z_test[:, 0], z_test[:, 1], c=y_test, cmap="viridis")
plt.colorbar()
plt.savefig("scatter.png")

n = 15
side = 28
figure = np.zeros((side * n, side * n))
# The normal quantiles of linspace(0.05, 0.95, n), as scipy.stats.norm.ppf gives them.
axis = np.sqrt(2) * np.asarray(ops.erfinv(2 * np.linspace(0.05, 0.95, n) - 1))
for i, z2 in enumerate(axis):
    for j, z1 in enumerate(axis):
        tile = decoder.predict(np.array([[z1, z2]]))
        figure[i * side : (i + 1) * side, j * side : (j + 1) * side] = tile[0].reshape(side, side)
plt.figure(figsize=(10, 10))
plt.imshow(figure, cmap="Greys_r")
plt.savefig("grid.png")

with open("report.json", "w") as file:
    json.dump(
        {
            "seconds": clock.seconds,
            "loss": history.history["loss"],
            "val_loss": history.history["val_loss"],
            "versions": {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__},
        },
        file,
    )
