"""The other side of `falx bench infer --peer python`: the same network on the same batch in ONNX Runtime and PyTorch.

Needs onnxruntime, torch, torchvision and numpy. Reads commands as JSON lines on standard input, answers each with a JSON
line. `onnxruntime` runs the very file that falx's run-times run; `torch` builds torchvision's network from the same weights.
"""

import json
import os
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")

import numpy

# Answers alone go to the pipe; what a library prints must not.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
STATE = {}


def status_mib(key):
    """Of this process; where the system does not tell it, its peak."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def safetensors(path):
    """The arrays of a file by name."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(length)), file.read()
    header.pop("__metadata__", None)
    array = lambda spec: numpy.frombuffer(
        data, numpy.float32, offset=spec["data_offsets"][0], count=int(numpy.prod(spec["shape"]))
    ).reshape(spec["shape"]).copy()
    return {name: array(spec) for name, spec in header.items()}


def onnxruntime(request):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = request["threads"]
    options.inter_op_num_threads = 1
    start = time.perf_counter()
    session = ort.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
    load_ms = 1e3 * (time.perf_counter() - start)
    STATE["run"] = lambda: session.run(["logits"], {"input": STATE["images"]})[0]
    return f"onnxruntime {ort.__version__}", load_ms


def torch(request, channels_last):
    import torch
    import torchvision

    torch.set_num_threads(request["threads"])
    weights = {name: torch.from_numpy(array) for name, array in safetensors(request["weights"]).items()}
    options = {}
    if request["network"] == "inception_v3":
        options |= {"aux_logits": False, "init_weights": False, "transform_input": False}
    start = time.perf_counter()
    model = torchvision.models.get_model(request["network"], weights=None, num_classes=6, **options)
    if "fc.0.weight" in weights:
        linear = lambda at: torch.nn.Linear(*reversed(weights[at].shape))
        model.fc = torch.nn.Sequential(linear("fc.0.weight"), torch.nn.ReLU(), linear("fc.2.weight"))
    missing, unknown = model.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unknown:
        raise ValueError(f"torchvision's {request['network']} has other parameters: {missing} missing, {unknown} unknown")
    form = torch.channels_last if channels_last else torch.contiguous_format
    model = model.eval().to(memory_format=form)
    load_ms = 1e3 * (time.perf_counter() - start)
    images = torch.from_numpy(STATE["images"]).to(memory_format=form)

    def run():
        with torch.inference_mode():
            return model(images).numpy()

    STATE["run"] = run
    return f"torch {torch.__version__}, torchvision {torchvision.__version__}", load_ms


def timed():
    start, cpu = time.perf_counter(), time.process_time()
    logits = STATE["run"]()
    return logits, 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)


def answer(request):
    if "setup" not in request:
        # The others had the caches, and this one's threads sleep: a turn's first run is not counted.
        timed()
        logits, wall_ms, cpu_ms = timed()
        return {"wall_ms": wall_ms, "cpu_ms": cpu_ms, "peak_mib": status_mib("VmHWM:")}
    request = request["setup"]
    STATE["images"] = numpy.fromfile(request["images"], numpy.float32).reshape(request["shape"])
    if request["contender"] == "onnxruntime":
        versions, load_ms = onnxruntime(request)
    else:
        versions, load_ms = torch(request, request["contender"] == "torch channels last")
    logits, first_ms, _ = timed()
    return {
        "versions": f"Python {sys.version.split()[0]}, {versions}",
        "load_ms": load_ms,
        "first_ms": first_ms,
        "logits": [float(x) for x in numpy.asarray(logits).ravel()],
    }


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=ANSWERS, flush=True)
