"""Makes the small files of weights that the readers are tested with: `make_weights.py FOLDER`.

Needs torch (made with 2.15) and h5py (made with 3.15). The values are counted: element i of a tensor is i / 8.
"""

import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np


def counted(*shape):
    return (np.arange(np.prod(shape)) / 8).reshape(shape).astype("float32")


def pytorch(folder):
    import torch

    base = torch.from_numpy(counted(4, 3))
    tensors = OrderedDict()
    tensors["conv.weight"] = torch.nn.Parameter(torch.from_numpy(counted(2, 1, 2, 2)))
    tensors["bn.num_batches_tracked"] = torch.tensor(7)
    tensors["half"] = torch.from_numpy(counted(3)).half()
    tensors["bfloat"] = torch.from_numpy(counted(3)).bfloat16()
    tensors["double"] = torch.from_numpy(counted(3)).double()
    tensors["whole"] = base
    tensors["turned"] = base.t()
    tensors["row"] = base[2]
    tensors["column"] = base[1:, 1]
    tensors["last"] = torch.from_numpy(counted(1, 2, 2, 2)).contiguous(memory_format=torch.channels_last)
    tensors["scalar"] = torch.tensor(1.5)
    tensors["none"] = torch.zeros(0, 3)
    saved = {"epoch": 3, "loss": 0.25, "model": tensors, "names": ["a", "b"], "best": None}
    torch.save(tensors, folder / "modern.pth")
    torch.save(saved, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {"a": base}, "path": Path("x")}, folder / "forbidden.pth")


def keras(folder):
    import h5py

    layers = {
        "conv2d_1": {"kernel:0": counted(2, 1, 3, 2)},
        "pool": {},
        "batch_normalization_1": {"beta:0": counted(2), "moving_mean:0": counted(2)},
        "old": {"old_W_1:0": counted(3, 2), "old_b_1:0": counted(2)},
    }
    with h5py.File(folder / "keras.h5", "w") as file:
        file.attrs["layer_names"] = np.array([name.encode() for name in layers])
        for layer, weights in layers.items():
            group = file.create_group(layer)
            names = [name if layer == "old" else f"{layer}/{name}" for name in weights]
            group.attrs["weight_names"] = np.array([name.encode() for name in names], dtype="S40")
            for name, values in zip(names, weights.values()):
                group.create_dataset(name, data=values)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    parts = sys.argv[2:] or ["pytorch", "keras"]
    for part in parts:
        {"pytorch": pytorch, "keras": keras}[part](target)
