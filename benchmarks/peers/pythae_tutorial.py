"""The tutorial's VAE in pythae: its VAE and its training pipeline around the tutorial's two networks.

Run as `python pythae_tutorial.py MNIST.npz EPOCHS`; two figures and report.json are left in the working folder.
"""

import json
import sys
import time
from importlib.metadata import version

import matplotlib
import numpy as np
import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt

mnist_file, epochs = sys.argv[1], int(sys.argv[2])

with np.load(mnist_file) as mnist:
    x_train, x_test, y_test = mnist["x_train"], mnist["x_test"], mnist["y_test"]
x_train = x_train.astype("float32").reshape(-1, 1, 28, 28) / 255
x_test = x_test.astype("float32").reshape(-1, 1, 28, 28) / 255


def dense(features_in, features_out):
    """A layer initialised as the tutorial's are."""
    layer = nn.Linear(features_in, features_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), dense(784, 256), nn.ReLU())
        self.mean = dense(256, 2)
        self.log_var = dense(256, 2)

    def forward(self, x):
        h = self.hidden(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(dense(2, 256), nn.ReLU(), dense(256, 784), nn.Sigmoid())

    def forward(self, z):
        return ModelOutput(reconstruction=self.layers(z).reshape(-1, 1, 28, 28))


class Clock(TrainingCallback):
    """Wall seconds of each epoch with its validation, and the losses that the trainer logs."""

    def __init__(self):
        self.seconds, self.loss, self.val_loss = [], [], []

    def on_epoch_begin(self, training_config, **kwargs):
        self.start = time.perf_counter()

    def on_epoch_end(self, training_config, **kwargs):
        self.seconds.append(time.perf_counter() - self.start)

    def on_log(self, training_config, logs, **kwargs):
        self.loss.append(float(logs["train_epoch_loss"]))
        self.val_loss.append(float(logs["eval_epoch_loss"]))


torch.manual_seed(1337)
model = VAE(
    VAEConfig(input_dim=(1, 28, 28), latent_dim=2, reconstruction_loss="bce"), encoder=Encoder(), decoder=Decoder()
)
training = BaseTrainerConfig(
    output_dir="pythae",
    num_epochs=epochs,
    learning_rate=1e-3,
    per_device_train_batch_size=100,
    per_device_eval_batch_size=100,
    optimizer_cls="RMSprop",
    optimizer_params={"alpha": 0.9, "eps": 1e-7},
)
clock = Clock()
TrainingPipeline(training_config=training, model=model)(train_data=x_train, eval_data=x_test, callbacks=[clock])

with torch.no_grad():
    z_test = model.encoder(torch.from_numpy(x_test)).embedding.numpy()
plt.figure(figsize=(6, 6))
plt.scatter(z_test[:, 0], z_test[:, 1], c=y_test, cmap="viridis")
plt.colorbar()
plt.savefig("scatter.png")

n = 15
side = 28
figure = np.zeros((side * n, side * n))
axis = torch.distributions.Normal(0, 1).icdf(torch.linspace(0.05, 0.95, n))
with torch.no_grad():
    for i, z2 in enumerate(axis):
        for j, z1 in enumerate(axis):
            tile = model.decoder(torch.stack([z1, z2])[None]).reconstruction
            figure[i * side : (i + 1) * side, j * side : (j + 1) * side] = tile.numpy().reshape(side, side)
plt.figure(figsize=(10, 10))
plt.imshow(figure, cmap="Greys_r")
plt.savefig("grid.png")

with open("report.json", "w") as file:
    versions = {"pythae": version("pythae"), "torch": torch.__version__}
    json.dump({"seconds": clock.seconds, "loss": clock.loss, "val_loss": clock.val_loss, "versions": versions}, file)
