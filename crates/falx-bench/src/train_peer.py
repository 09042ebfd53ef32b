"""The other side of `falx bench train --peer torch`: training steps of the same network from the same weights on the same batch.

Needs torch, torchvision and numpy. Reads commands as JSON lines on standard input, answers each with a JSON line. A step is
forward, loss, backward and AdamW; its time is that of this process on the given number of threads. On a card a step begins
with the batch in pinned memory, and what is measured ends when the card has nothing left to do.
"""

import json
import os
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")

import numpy
import torch
import torchvision

# Answers alone go to the pipe; what a library prints must not.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
STATE = {}


class SimpleCnn(torch.nn.Module):
    """Four blocks of convolution, normalisation, rectifier and maximum; two linear layers."""

    def __init__(self):
        super().__init__()
        nn, channels, blocks = torch.nn, 3, []
        for width in (32, 64, 128, 256):
            block = nn.Sequential()
            block.add_module("conv", nn.Conv2d(channels, width, 3, padding=1, bias=False))
            block.add_module("bn", nn.BatchNorm2d(width))
            block.add_module("relu", nn.ReLU(inplace=True))
            block.add_module("pool", nn.MaxPool2d(2))
            blocks.append(block)
            channels = width
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Linear(256, 128)
        self.fc2 = nn.Linear(128, 6)

    def forward(self, images):
        features = self.pool(self.blocks(images)).flatten(1)
        return self.fc2(torch.relu(self.fc1(features)))


def network(name, weights):
    """torchvision's network with the heads that falx gives it; nothing is dropped."""
    if name == "simple_cnn":
        return SimpleCnn()
    options = {"num_classes": 6}
    if name == "inception_v3":
        options |= {"aux_logits": False, "init_weights": False, "transform_input": False}
    if name.startswith(("efficientnet", "convnext")):
        options |= {"stochastic_depth_prob": 0.0}
    made = torchvision.models.get_model(name, weights=None, **options)
    for module in made.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    if "fc.0.weight" in weights:
        linear = lambda at: torch.nn.Linear(*reversed(weights[at].shape))
        made.fc = torch.nn.Sequential(linear("fc.0.weight"), torch.nn.ReLU(), linear("fc.2.weight"))
    return made


def safetensors(path):
    """The tensors of a file by name."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(length)), file.read()
    header.pop("__metadata__", None)
    tensor = lambda spec: torch.from_numpy(
        numpy.frombuffer(data, numpy.float32, offset=spec["data_offsets"][0], count=int(numpy.prod(spec["shape"])))
        .reshape(spec["shape"]).copy()
    )
    return {name: tensor(spec) for name, spec in header.items()}


def setup(request):
    torch.set_num_threads(request["threads"])
    device, on_card = torch.device(request["device"]), request["device"] != "cpu"
    # The same on both sides: cuDNN tries its algorithms once; TF32 in convolutions and not in products of matrices.
    torch.backends.cudnn.benchmark = on_card
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = True, False
    weights = safetensors(request["weights"])
    batch = safetensors(request["batch"])
    form = torch.channels_last if request["channels_last"] else torch.contiguous_format
    model = network(request["network"], weights)
    missing, unknown = model.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unknown:
        raise ValueError(f"torchvision's {request['network']} has other parameters: {missing} missing, {unknown} unknown")
    model = model.to(device, memory_format=form).train()
    STATE["model"], STATE["device"], STATE["form"] = model, device, form
    STATE["mixed"] = request["mixed_precision"]
    STATE["images"] = batch["images"].pin_memory() if on_card else batch["images"].to(memory_format=form)
    STATE["labels"] = batch["labels"].pin_memory() if on_card else batch["labels"]
    STATE["weight"] = (torch.tensor([1, 1, 1, 1, 1, 2]) / 7).to(device)
    STATE["optimizer"] = torch.optim.AdamW(model.parameters(), lr=request["lr"], weight_decay=0.01, fused=on_card or None)
    packages = [torch, torchvision]
    versions = ", ".join(f"{package.__name__} {package.__version__}" for package in packages)
    if on_card:
        versions += f", cuDNN {torch.backends.cudnn.version()}, {torch.cuda.get_device_name(device)}"
    return {"versions": f"Python {sys.version.split()[0]}, {versions}", "idle_mib": status_mib("VmRSS:")}


def status_mib(key):
    """Of this process; where the system does not tell it, its peak."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def step():
    """One step; its loss stays where it was computed."""
    device, mixed = STATE["device"], STATE["mixed"]
    images = STATE["images"].to(device, non_blocking=True).contiguous(memory_format=STATE["form"])
    labels = STATE["labels"].to(device, non_blocking=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
        logits = STATE["model"](images)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels, reduction="none")
    loss = (losses * STATE["weight"]).sum(1).mean()
    STATE["optimizer"].zero_grad(set_to_none=True)
    loss.backward()
    STATE["optimizer"].step()
    return loss.detach()


def answer(request):
    if "setup" in request:
        return setup(request["setup"])
    start, cpu = time.perf_counter(), time.process_time()
    losses = torch.stack([step() for _ in range(request["steps"])]).tolist()
    on_card = STATE["device"].type == "cuda"
    if on_card:
        torch.cuda.synchronize()
    return {
        "loss": losses[0],
        "wall_ms": 1e3 * (time.perf_counter() - start) / request["steps"],
        "cpu_ms": 1e3 * (time.process_time() - cpu) / request["steps"],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tensors_mib": torch.cuda.max_memory_allocated() / 2**20 if on_card else None,
    }


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=ANSWERS, flush=True)
