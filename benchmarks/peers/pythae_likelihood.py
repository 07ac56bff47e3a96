"""pythae's `get_nll` on the gated VAE of `benchmarks/evaluation.py`.

Run as `python pythae_likelihood.py MODEL.npz IMAGES SAMPLES`; the last line printed is the result as JSON.
"""

import json
import sys
import time

import numpy as np
import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn

with np.load(sys.argv[1], allow_pickle=False) as file:
    arrays = {name: file[name] for name in file.files}
images, samples = int(sys.argv[2]), int(sys.argv[3])


def dense(name):
    weight = torch.tensor(arrays[f"{name}.weight"].T.copy())
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, torch.tensor(arrays[f"{name}.bias"])
    return layer


class Gated(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.value, self.gate = dense(f"{name}.value"), dense(f"{name}.gate")

    def forward(self, x):
        return self.value(x) * torch.sigmoid(self.gate(x))


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), Gated("encoder.network.layers.0"), Gated("encoder.network.layers.1"))
        self.mean, self.log_var = dense("encoder.mean"), dense("encoder.log_variance")

    def forward(self, x):
        h = self.layers(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        gated = (Gated("decoder.network.layers.0"), Gated("decoder.network.layers.1"))
        self.layers = nn.Sequential(*gated, dense("decoder.logits"), nn.Sigmoid())

    def forward(self, z):
        return ModelOutput(reconstruction=self.layers(z).reshape(-1, 1, 28, 28))


config = VAEConfig(input_dim=(1, 28, 28), latent_dim=40, reconstruction_loss="bce")
model = VAE(config, encoder=Encoder(), decoder=Decoder()).eval()
data = torch.tensor(arrays["images"][:images].reshape(-1, 1, 28, 28).astype("float32") / 255)
with torch.no_grad():
    model.get_nll(data[:1], n_samples=samples, batch_size=1000)
    begun = time.perf_counter()
    log_p = model.get_nll(data, n_samples=samples, batch_size=1000)
print(
    json.dumps(
        {
            "seconds_an_image": (time.perf_counter() - begun) / images,
            "nll": -float(log_p),
            "threads": torch.get_num_threads(),
        }
    )
)
