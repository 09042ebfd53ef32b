"""Hounsfield units beside pydicom's, bit for bit.

usage: compare_hu.py FALX FOLDER

Reads every DICOM file under FOLDER with pydicom, applies the rescale in double precision, fills what has no physical value
(at or below -2000 HU) with -1024, and compares the SHA-256 of the single-precision array with what `falx dicom show`
says. All must be the same.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
import pydicom

falx, folder = sys.argv[1:]
files = sorted(map(str, pathlib.Path(folder).rglob("*.dcm")))
shown = subprocess.run([falx, "dicom", "show", "--json", "-q", *files], capture_output=True, text=True)
assert shown.returncode == 0, shown.stderr
different = []
for found in json.loads(shown.stdout)["files"]:
    ds = pydicom.dcmread(found["path"])
    hu = ds.pixel_array.astype(np.float64) * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    hu = hu.astype(np.float32)
    hu[hu <= -2000] = -1024
    [frame] = found["frames"]
    if hashlib.sha256(hu.tobytes()).hexdigest() != frame["hu_sha256"]:
        different.append(found["path"])
print(f"{len(files)} files: {len(files) - len(different)} the same as pydicom's, {len(different)} different")
assert files and not different, different[:5]
