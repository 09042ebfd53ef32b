"""What falx computes beside what other software computes from the same files.

usage: cross_check.py FALX DEMO_FOLDER WORK_FOLDER

* HU: pydicom reads some phantom slices and applies the rescale; `falx index` must report the same extremes.
* masks: nibabel reads them.
* the network: the demo's model.onnx under ONNX Runtime, on the input described in bundle.toml computed here in numpy,
  must give what `falx predict` gives.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tomllib

import nibabel
import numpy as np
import onnxruntime
import pydicom

falx, demo, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
work.mkdir(parents=True)
held_back = demo / "phantom" / "stage_2_test"
bundle = demo / "run" / "bundle"


def hounsfield(path):
    ds = pydicom.dcmread(path)
    hu = ds.pixel_array.astype(np.float64) * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    if "PixelPaddingValue" in ds:
        # The value has 16 bits whatever its VR says; the pixels decide how they are read.
        padding = np.array(ds.PixelPaddingValue, dtype=np.int64).astype(np.uint16)
        if ds.PixelRepresentation == 1:
            padding = padding.view(np.int16)
        hu[ds.pixel_array == padding] = -1024
    return hu.astype(np.float32)


def network_input(hu, size, windows):
    """The whole slice, averaged down to size x size, one channel a window (centre, width)."""
    factor = hu.shape[0] / size
    # Area average: weights of each source row for each target row.
    edges = np.arange(size + 1) * factor
    weights = np.zeros((size, hu.shape[0]))
    for row in range(size):
        low, high = edges[row], edges[row + 1]
        for source in range(int(low), min(int(np.ceil(high)), hu.shape[0])):
            weights[row, source] = min(high, source + 1) - max(low, source)
    weights /= weights.sum(axis=1, keepdims=True)
    small = weights @ hu.astype(np.float64) @ weights.T
    return np.stack([np.clip((small - c) / w + 0.5, 0, 1) for c, w in windows]).astype(np.float32)


def corrected(p, prior):
    """Saerens 2002 for `any`; subtypes keep their share of it."""
    if prior is None:
        return p
    shown, own = prior["shown_any"], prior["data_any"]
    factor = own / (1 - own) * (1 - shown) / shown
    p_any = p[:, 5:6]
    fixed = p_any * factor / (p_any * factor + 1 - p_any)
    return np.hstack([p[:, :5] * fixed / p_any, fixed])


predictions = work / "predictions.csv"
subprocess.run([falx, "predict", held_back, "--model", bundle, "--out", predictions, "-q"], check=True)
with open(predictions, encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
names = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
ours = np.array([[float(row[name]) for name in names] for row in rows])

manifest = tomllib.loads((bundle / "bundle.toml").read_text(encoding="utf-8"))
spec = manifest["input"]
batch = np.stack([
    network_input(hounsfield(held_back / f"{row['image_id']}.dcm"), spec["size"], spec["windows"]) for row in rows
])
session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
logits = session.run(None, {session.get_inputs()[0].name: batch})[0].astype(np.float64)
theirs = corrected(1 / (1 + np.exp(-logits)), manifest.get("prior"))
difference = np.abs(ours - theirs).max()
print(f"{len(rows)} slices: largest difference of a probability to numpy + ONNX Runtime {difference:.2e}")
assert difference < 1e-4, "falx predict and ONNX Runtime disagree"

index = work / "index.parquet"
summary = json.loads(subprocess.run(
    [falx, "index", held_back, "--out", index, "--layout", "rsna", "--json", "-q"], check=True, capture_output=True
).stdout)
assert summary["usable"] == len(rows), summary

masks = sorted((demo / "phantom" / "masks").glob("*.nii.gz"))
values = {int(v) for mask in masks[:5] for v in np.unique(np.asanyarray(nibabel.load(mask).dataobj))}
print(f"{len(masks)} masks; values in the first five: {sorted(values)}")
assert masks and max(values) < 32
