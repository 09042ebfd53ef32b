"""The other side of `falx bench infer --study --peer python`: from a folder of DICOM to probabilities.

Needs pydicom, numpy, opencv-python-headless and onnxruntime. Reads commands as JSON lines on standard input, answers each
with a JSON line. The network is the very file that falx's run-times run. `in turn` reads a batch, then runs the network on
it; `reading ahead` has as many threads read the next batches meanwhile.
"""

import json
import os
import sys
import time
import warnings

import cv2
import numpy
import onnxruntime
import pydicom

# Answers alone go to the pipe; what a library prints must not.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
cv2.setNumThreads(0)
warnings.simplefilter("ignore")
TAGS = [
    "Rows", "Columns", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ImagePositionPatient", "ImageOrientationPatient",
]
STATE = {}


def peak_mib():
    with open("/proc/self/status") as lines:
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def slice_of(path):
    """Where the slice lies along its normal, and its channels x size x size: the mean in HU, then windows."""
    with open(path, "rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
        file.seek(-2 * header.Rows * header.Columns, 2)
        cells = numpy.fromfile(file, numpy.int16 if header.PixelRepresentation else numpy.uint16)
    hu = cells.reshape(header.Rows, header.Columns).astype(numpy.float32)
    hu *= float(header.RescaleSlope)
    hu += float(header.RescaleIntercept)
    hu[hu <= -2000] = -1024
    size = STATE["size"]
    hu = cv2.resize(hu, (size, size), interpolation=cv2.INTER_AREA)
    out = numpy.empty((len(STATE["windows"]), size, size), numpy.float32)
    for channel, (center, width) in zip(out, STATE["windows"]):
        numpy.subtract(hu, center, out=channel)
        channel /= width
        channel += 0.5
        numpy.clip(channel, 0, 1, out=channel)
    across, down = numpy.reshape(numpy.asarray(header.ImageOrientationPatient, float), (2, 3))
    z = float(numpy.dot(numpy.cross(across, down), numpy.asarray(header.ImagePositionPatient, float)))
    return z, out


def in_turn(paths):
    return map(slice_of, paths)


def reading_ahead(paths):
    """The slices in order, at most two batches of them read before they are wanted."""
    paths, waiting = iter(paths), []
    for path in paths:
        waiting.append(STATE["pool"].submit(slice_of, path))
        if len(waiting) >= 2 * STATE["batch"]:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


def study(folder):
    """The six probabilities of every slice, from the feet upwards."""
    paths = sorted(entry.path for entry in os.scandir(folder))
    slices = (reading_ahead if STATE["ahead"] else in_turn)(paths)
    found, batch = [], []

    def run():
        logits = STATE["session"].run(["logits"], {"input": numpy.stack([image for _, image in batch])})[0]
        probabilities = 1 / (1 + numpy.exp(-logits.astype(float)))
        found.extend((z, row.tolist()) for (z, _), row in zip(batch, probabilities))
        batch.clear()

    for one in slices:
        batch.append(one)
        if len(batch) == STATE["batch"]:
            run()
    if batch:
        run()
    found.sort(key=lambda pair: pair[0])
    return [row for _, row in found]


def answer(request):
    if "setup" in request:
        setup = request["setup"]
        STATE.update(size=setup["size"], windows=setup["windows"], batch=setup["batch"], ahead=setup["ahead"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setup["threads"]
        options.inter_op_num_threads = 1
        STATE["session"] = onnxruntime.InferenceSession(setup["model"], options, providers=["CPUExecutionProvider"])
        if setup["ahead"]:
            from concurrent.futures import ThreadPoolExecutor

            STATE["pool"] = ThreadPoolExecutor(setup["threads"])
        versions = {"pydicom": pydicom, "numpy": numpy, "OpenCV": cv2, "onnxruntime": onnxruntime}
        named = ", ".join(f"{name} {module.__version__}" for name, module in versions.items())
        return {"versions": f"Python {sys.version.split()[0]}, {named}"}
    start, cpu = time.perf_counter(), time.process_time()
    probabilities = study(request["study"])
    return {
        "wall_ms": 1e3 * (time.perf_counter() - start),
        "cpu_ms": 1e3 * (time.process_time() - cpu),
        "peak_mib": peak_mib(),
        "probabilities": probabilities,
    }


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=ANSWERS, flush=True)
