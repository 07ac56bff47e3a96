"""The tutorial's VAE as plain PyTorch scripts write it: a module, a DataLoader, an eager loop.

Run as `python torch_tutorial.py MNIST.npz EPOCHS`; two figures and report.json are left in the working folder.
"""

import json
import sys
import time

import matplotlib
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

matplotlib.use("Agg")
import matplotlib.pyplot as plt

mnist_file, epochs = sys.argv[1], int(sys.argv[2])
torch.manual_seed(1337)

with np.load(mnist_file) as mnist:
    x_train, x_test, y_test = mnist["x_train"], mnist["x_test"], mnist["y_test"]
x_train = torch.from_numpy(x_train.astype("float32").reshape(-1, 784) / 255)
x_test = torch.from_numpy(x_test.astype("float32").reshape(-1, 784) / 255)
train_loader = DataLoader(TensorDataset(x_train), batch_size=100, shuffle=True)
test_loader = DataLoader(TensorDataset(x_test), batch_size=100)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 256)
        self.mean = nn.Linear(256, 2)
        self.log_var = nn.Linear(256, 2)
        self.decoder = nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid())
        for layer in self.modules():  # the tutorial's initialisation, which is not PyTorch's
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def encode(self, x):
        h = F.relu(self.hidden(x))
        return self.mean(h), self.log_var(h)

    def forward(self, x):
        mean, log_var = self.encode(x)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return self.decoder(z), mean, log_var


def loss_function(x_decoded, x, mean, log_var):
    reconstruction = F.binary_cross_entropy(x_decoded, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
    return reconstruction + kl


model = VAE()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)

report = {"seconds": [], "loss": [], "val_loss": [], "versions": {"torch": torch.__version__, "numpy": np.__version__}}
for epoch in range(epochs):
    start = time.perf_counter()
    model.train()
    train_loss = 0.0
    for (x,) in train_loader:
        optimizer.zero_grad()
        x_decoded, mean, log_var = model(x)
        loss = loss_function(x_decoded, x, mean, log_var)
        # The mean over the batch is what the tutorial's optimiser sees.
        (loss / len(x)).backward()
        optimizer.step()
        train_loss += loss.item()

    model.eval()
    val_loss = 0.0
    with torch.no_grad():
        for (x,) in test_loader:
            x_decoded, mean, log_var = model(x)
            val_loss += loss_function(x_decoded, x, mean, log_var).item()
    report["loss"].append(train_loss / len(x_train))
    report["val_loss"].append(val_loss / len(x_test))
    report["seconds"].append(time.perf_counter() - start)
    print(f"epoch {epoch + 1}: loss {report['loss'][-1]:.2f}, val_loss {report['val_loss'][-1]:.2f}", flush=True)

with torch.no_grad():
    z_test = model.encode(x_test)[0].numpy()
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
            tile = model.decoder(torch.stack([z1, z2])[None])
            figure[i * side : (i + 1) * side, j * side : (j + 1) * side] = tile.numpy().reshape(side, side)
plt.figure(figsize=(10, 10))
plt.imshow(figure, cmap="Greys_r")
plt.savefig("grid.png")

with open("report.json", "w") as file:
    json.dump(report, file)
