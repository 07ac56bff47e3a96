"""pythae's VAE and VAMP, and its samplers, for `benchmarks/pythae_samplers.py`.

    python pythae_samplers.py SETTING.json train VAE|VAMP
    python pythae_samplers.py SETTING.json sample normal|mixture|maf|vamp

Run in a folder with `images.npz`. Weights and densities are left as plain arrays by vaelab's names, sampled images as the decoder's
means; the last line printed is a report as JSON. Trained weights are read back from their arrays, so each step stands alone.
"""

import itertools
import json
import sys
import time

import numpy as np
import torch
from pythae.data.datasets import BaseDataset, DatasetOutput
from pythae.models import VAE, VAMP, VAEConfig, VAMPConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.pipelines import TrainingPipeline
from pythae.samplers import GaussianMixtureSampler, MAFSampler, NormalSampler, VAMPSampler
from pythae.trainers import BaseTrainerConfig
from torch import nn

with open(sys.argv[1]) as file:
    setting = json.load(file)
step, what = sys.argv[2:4]
hidden, latent = setting["hidden"], setting["latent"]
torch.set_num_threads(setting["threads"])
torch.manual_seed(setting["seed"])
np.random.seed(setting["seed"])  # noqa: NPY002 - scikit-learn's mixture, which pythae gives no seed, draws from it


def mlp(widths):
    """Dense layers, each with a ReLU."""
    return nn.Sequential(*(part for a, b in itertools.pairwise(widths) for part in (dense(a, b), nn.ReLU())))


def dense(features_in, features_out):
    """Glorot-uniform weights and zero biases, as vaelab begins."""
    layer = nn.Linear(features_in, features_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.hidden = mlp([784, *hidden])
        self.mean, self.log_var = dense(hidden[-1], latent), dense(hidden[-1], latent)

    def forward(self, x):
        h = self.hidden(x.flatten(1))
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.hidden = mlp([latent, *hidden[::-1]])
        self.logits = dense(hidden[0], 784)

    def forward(self, z):
        return ModelOutput(reconstruction=torch.sigmoid(self.logits(self.hidden(z))).reshape(-1, 1, 28, 28))


class DynamicallyBinarised(BaseDataset):
    """Each pixel drawn anew each time, with its grey value as probability."""

    def __getitem__(self, index):
        return DatasetOutput(data=torch.bernoulli(self.data[index]), labels=self.labels[index])


def build(name):
    shape = {"input_dim": (1, 28, 28), "latent_dim": latent, "reconstruction_loss": "bce"}
    if name == "VAE":
        return VAE(VAEConfig(**shape), encoder=Encoder(), decoder=Decoder())
    config = VAMPConfig(number_components=setting["components"], linear_scheduling_steps=0, **shape)
    return VAMP(config, encoder=Encoder(), decoder=Decoder())


def layers(model):
    """Each dense layer by the name that it has in a vaelab model."""
    named = {"encoder.mean": model.encoder.mean, "encoder.log_variance": model.encoder.log_var}
    named["decoder.logits"] = model.decoder.logits
    for part, network in (("encoder", model.encoder.hidden), ("decoder", model.decoder.hidden)):
        for index, layer in enumerate(network[::2]):
            named[f"{part}.network.layers.{index}"] = layer
    return named


def train(name):
    images = torch.from_numpy(data["train"]).float().div(255).reshape(-1, 1, 28, 28)
    model = build(name)
    config = BaseTrainerConfig(
        output_dir=f"pythae-{name}",
        num_epochs=setting["epochs"],
        learning_rate=setting["learning_rate"],
        per_device_train_batch_size=setting["batch"],
        seed=setting["seed"],
    )
    begun = time.perf_counter()
    TrainingPipeline(training_config=config, model=model)(DynamicallyBinarised(images, torch.ones(len(images))))
    seconds = time.perf_counter() - begun
    arrays = {}
    for path, layer in layers(model).items():
        arrays[f"{path}.weight"] = layer.weight.detach().numpy().T
        arrays[f"{path}.bias"] = layer.bias.detach().numpy()
    if name == "VAMP":
        for part in ("weight", "bias"):
            arrays[f"pythae.pseudo_inputs.{part}"] = getattr(model.pseudo_inputs[0], part).detach().numpy()
        shown = model.pseudo_inputs(model.idle_input).detach().numpy()
        arrays["prior.pseudo_inputs"] = shown.reshape(-1, 28, 28)  # between 0 and 1 already
    np.savez(f"pythae-{name}.npz", **arrays)
    return {"seconds": seconds}


def trained(name):
    model = build(name)
    with np.load(f"pythae-{name}.npz", allow_pickle=False) as arrays:
        for path, layer in layers(model).items():
            layer.weight.data = torch.from_numpy(arrays[f"{path}.weight"].T.copy())
            layer.bias.data = torch.from_numpy(arrays[f"{path}.bias"])
        if name == "VAMP":
            for part in ("weight", "bias"):
                setattr(
                    model.pseudo_inputs[0], part, nn.Parameter(torch.from_numpy(arrays[f"pythae.pseudo_inputs.{part}"]))
                )
    model.device = "cpu"
    return model.eval()


def sample(name):
    """The sampler fitted as it stands, with pythae's defaults but for the flow's schedule, and its images and density."""
    drawn = torch.from_numpy(data["train_drawn"]).float().div(255).reshape(-1, 1, 28, 28)
    model = trained("VAMP" if name == "vamp" else "VAE")
    begun = time.perf_counter()
    density = {}
    if name == "normal":
        sampler = NormalSampler(model)
    elif name == "vamp":
        sampler = VAMPSampler(model)
    elif name == "mixture":
        sampler = GaussianMixtureSampler(model)
        sampler.fit(drawn)
        density = {part: getattr(sampler.gmm, f"{part}_") for part in ("weights", "means", "covariances")}
    else:
        sampler = MAFSampler(model)
        config = BaseTrainerConfig(
            output_dir="pythae-maf",
            num_epochs=setting["flow_epochs"],
            per_device_train_batch_size=setting["flow_batch"],
            learning_rate=1e-3,
            seed=setting["seed"],
        )
        sampler.fit(drawn, training_config=config)
        density = maf_arrays(sampler)
    fitting = time.perf_counter() - begun
    with torch.no_grad():
        images = sampler.sample(num_samples=setting["samples"], batch_size=500)
    np.savez(f"pythae-{name}-samples.npz", images=images.numpy().reshape(-1, 28, 28), **density)
    return {"seconds": fitting}


def maf_arrays(sampler):
    """The weights of each MADE under its mask, and the flow's own log-density at some points, to check a copy against."""
    flow = sampler.maf_model.eval()
    density = {}
    for block, made in enumerate(flow.net):
        for index, layer in enumerate(made.net[::2]):
            density[f"{block}.{index}.weight"] = (layer.mask * layer.weight).detach().numpy().T
            density[f"{block}.{index}.bias"] = layer.bias.detach().numpy()
    points = torch.randn(100, latent)
    with torch.no_grad():
        out = flow(points)
        density["log_probs"] = (sampler.prior.log_prob(out.out) + out.log_abs_det_jac).numpy()
    density["points"] = points.numpy()
    return density


with np.load("images.npz", allow_pickle=False) as file:
    data = {name: file[name] for name in file.files}
print(json.dumps(train(what) if step == "train" else sample(what)))
