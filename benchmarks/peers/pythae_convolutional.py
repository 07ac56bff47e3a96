"""A convolutional VAE in pythae: its VAE and its training pipeline around the networks of torch_convolutional.py.

Run as `python pythae_convolutional.py IMAGES.npy EPOCHS`; report.json is left in the working folder.
"""

import json
import sys
import time

import numpy as np
import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.trainers import BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import nn

images_file, epochs = sys.argv[1], int(sys.argv[2])
images = np.load(images_file).astype("float32") / 255
x_train = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
side, depth = images.shape[1], images.shape[3]
latent_dim, batch_size, smallest = 32, 128, images.shape[1] // 8
x_train = x_train[: len(x_train) // batch_size * batch_size]


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(depth, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(64, 128, 4, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.mean = nn.Linear(128 * smallest**2, latent_dim)
        self.log_var = nn.Linear(128 * smallest**2, latent_dim)

    def forward(self, x):
        h = self.down(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.up = nn.Sequential(
            nn.Linear(latent_dim, 128 * smallest**2),
            nn.ReLU(),
            nn.Unflatten(1, (128, smallest, smallest)),
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, depth, 4, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return ModelOutput(reconstruction=self.up(z))


class Clock(TrainingCallback):
    """Wall seconds of each epoch, and the losses that the trainer logs."""

    def __init__(self):
        self.seconds, self.loss = [], []

    def on_epoch_begin(self, training_config, **kwargs):
        self.start = time.perf_counter()

    def on_epoch_end(self, training_config, **kwargs):
        self.seconds.append(time.perf_counter() - self.start)

    def on_log(self, training_config, logs, **kwargs):
        self.loss.append(float(logs["train_epoch_loss"]))


torch.manual_seed(1337)
config = VAEConfig(input_dim=(depth, side, side), latent_dim=latent_dim, reconstruction_loss="bce")
model = VAE(config, encoder=Encoder(), decoder=Decoder())
training = BaseTrainerConfig(
    output_dir="pythae",
    num_epochs=epochs,
    learning_rate=1e-3,
    per_device_train_batch_size=batch_size,
    optimizer_cls="Adam",
)
clock = Clock()
TrainingPipeline(training_config=training, model=model)(train_data=x_train, callbacks=[clock])
with open("report.json", "w") as file:
    parameters = sum(weights.numel() for weights in model.parameters())
    json.dump({"seconds": clock.seconds, "loss": clock.loss, "parameters": parameters}, file)
