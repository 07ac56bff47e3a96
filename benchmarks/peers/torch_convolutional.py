"""A convolutional VAE as plain PyTorch scripts write it, and the residual one of vaelab layer by layer.

Run as `python torch_convolutional.py IMAGES.npy EPOCHS convolutional|residual contiguous|channels_last`; report.json is left in the working
folder.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

images_file, epochs, network, memory = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
torch.manual_seed(1337)
memory_format = torch.channels_last if memory == "channels_last" else torch.contiguous_format

images = np.load(images_file).astype("float32") / 255
x_train = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
side, depth = images.shape[1], images.shape[3]
latent_dim, batch_size = 32, 128


class Convolutional(nn.Module):
    def __init__(self):
        super().__init__()
        smallest = side // 8
        self.down = nn.Sequential(
            nn.Conv2d(depth, 32, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(64, 128, 4, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.moments = nn.Linear(128 * smallest**2, 2 * latent_dim)
        self.up = nn.Sequential(
            nn.Linear(latent_dim, 128 * smallest**2),
            nn.ReLU(),
            nn.Unflatten(1, (128, smallest, smallest)),
            nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, depth, 4, 2, 1),
        )


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(channels // 8, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.GroupNorm(channels // 8, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1),
        )

    def forward(self, x):
        return x + self.layers(x)


class Residual(nn.Module):
    """Halved by a convolution and by folded squares, a block at each map of 32 pixels a side at most."""

    def __init__(self):
        super().__init__()
        maps = [side // 2]
        while maps[-1] > 4:
            maps.append(maps[-1] // 2)
        widths = [min(32 * 2**number, 128) for number in range(len(maps))]
        down = [nn.Conv2d(depth, 32, 4, 2, 1)]
        for number, (here, width) in enumerate(zip(maps, widths, strict=True)):
            if number:
                down += [nn.PixelUnshuffle(2), nn.Conv2d(4 * widths[number - 1], width, 1)]
            down += [Block(width)] if here <= 32 else []
        down += [nn.GroupNorm(widths[-1] // 8, widths[-1]), nn.ReLU(), nn.Flatten()]
        self.down = nn.Sequential(*down)
        self.moments = nn.Linear(widths[-1] * maps[-1] ** 2, 2 * latent_dim)
        up = [nn.Linear(latent_dim, widths[-1] * maps[-1] ** 2), nn.Unflatten(1, (widths[-1], maps[-1], maps[-1]))]
        for number in reversed(range(len(maps))):
            up += [Block(widths[number])] if maps[number] <= 32 else []
            if number:
                up += [nn.Conv2d(widths[number], 4 * widths[number - 1], 1), nn.PixelShuffle(2)]
        up += [nn.GroupNorm(widths[0] // 8, widths[0]), nn.ReLU(), nn.ConvTranspose2d(widths[0], depth, 4, 2, 1)]
        self.up = nn.Sequential(*up)


model = {"convolutional": Convolutional, "residual": Residual}[network]().to(memory_format=memory_format)
optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(x_train), batch_size=batch_size, shuffle=True, drop_last=True)

report = {"seconds": [], "loss": [], "parameters": sum(weights.numel() for weights in model.parameters())}
for epoch in range(epochs):
    start = time.perf_counter()
    total = 0.0
    for (x,) in loader:
        x = x.contiguous(memory_format=memory_format)
        optimiser.zero_grad()
        mean, log_var = model.moments(model.down(x)).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        reconstruction = F.binary_cross_entropy_with_logits(model.up(z), x, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
        loss = (reconstruction + kl) / len(x)
        loss.backward()
        optimiser.step()
        total += loss.item()
    report["seconds"].append(time.perf_counter() - start)
    report["loss"].append(total / len(loader))
    print(f"epoch {epoch + 1}: loss {report['loss'][-1]:.1f}, {report['seconds'][-1]:.2f} s", flush=True)

with open("report.json", "w") as file:
    json.dump(report, file)
