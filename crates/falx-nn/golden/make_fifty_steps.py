"""PyTorch's training of a small network over fifty steps, into fifty_steps.json.

usage: make_fifty_steps.py [--check]      (--check compares with the file that is there)

Weights and batches follow from names, as in the shared reference: SplitMix64 from the FNV-1a hash. An image of batch t is
noise, brighter in a band of rows for each of its labels, so that there is something to learn. The training is that of a
recipe: weighted log loss, AdamW, gradients shortened to a norm of .5, five steps of warm-up, half a cosine down to 0. It is
computed in double precision; `float32_error` is what PyTorch itself loses in single precision.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).with_name("fifty_steps.json")
STEPS, BATCH, SIZE, WIDTH = 50, 8, 32, 8
RATE, WARMUP, DECAY, NORM = 3e-3, 5, 0.01, 0.5
LABEL_WEIGHTS = torch.tensor([1, 1, 1, 1, 1, 2], dtype=torch.float64) / 7
MASK = (1 << 64) - 1


def unit(name, count):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def parameter(name, shape):
    u = unit(name, math.prod(shape)).reshape(shape)
    v = 2 * u - 1
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1 + 0.2 * u
    if leaf in ("bias", "running_mean"):
        return 0.05 * v
    if len(shape) == 1:
        return 1 + 0.1 * v
    return v * (math.sqrt(6 / math.prod(shape[1:])) * 0.7)


def batch(step):
    """Images [8, 3, 32, 32] and labels [8, 6]: `any` is the largest of the others."""
    labels = (unit(f"labels.{step}", BATCH * 6).reshape(BATCH, 6) < 0.3).astype(np.float64)
    labels[:, 5] = labels[:, :5].max(axis=1)
    images = unit(f"images.{step}", BATCH * 3 * SIZE * SIZE).reshape(BATCH, 3, SIZE, SIZE) - 0.5
    for label in range(5):
        images[:, 0, 6 * label : 6 * label + 6] += labels[:, label, None, None]
    return torch.from_numpy(images.astype(np.float32)), torch.from_numpy(labels)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return nn.functional.max_pool2d(self.bn(self.conv(x)).relu(), 2)


class SimpleCnn(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [3] + [WIDTH << at for at in range(4)]
        self.blocks = nn.Sequential(*map(Block, channels[:-1], channels[1:]))
        self.fc1, self.fc2 = nn.Linear(channels[-1], 128), nn.Linear(128, 6)

    def forward(self, x):
        return self.fc2(self.fc1(self.blocks(x).mean((2, 3))).relu())


def rate(step):
    if step < WARMUP:
        return RATE * (step + 1) / WARMUP
    return RATE / 2 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def train(precision):
    network = SimpleCnn()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                # Rounded to single precision, as the engine holds them.
                tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape)).astype(np.float32)))
    network.to(precision)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    losses, norms = [], []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        images, labels = (tensor.to(precision) for tensor in batch(step))
        elements = nn.functional.binary_cross_entropy_with_logits(network(images), labels, reduction="none")
        loss = (elements * LABEL_WEIGHTS.to(precision)).sum(dim=1).mean()
        optimizer.zero_grad()
        loss.backward()
        norms.append(nn.utils.clip_grad_norm_(network.parameters(), NORM).item())
        optimizer.step()
        losses.append(loss.item())
    network.eval()
    with torch.no_grad():
        logits = network(batch(STEPS)[0].to(precision))
    return {"losses": losses, "gradient_norms": norms, "logits": logits.flatten().tolist()}


def main():
    torch.set_num_threads(1)
    exact, rounded = train(torch.float64), train(torch.float32)
    error = {key: max(abs(a - b) for a, b in zip(exact[key], rounded[key])) for key in exact}
    if "--check" in sys.argv:
        there = json.loads(HERE.read_text(encoding="utf-8"))
        for key, values in exact.items():
            torch.testing.assert_close(torch.tensor(values), torch.tensor(there[key]), rtol=1e-6, atol=1e-6)
        return
    made_by = f"make_fifty_steps.py, PyTorch {torch.__version__.split('+')[0]}"
    text = json.dumps({"made_by": made_by, **exact, "float32_error": error}, indent=1)
    HERE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
