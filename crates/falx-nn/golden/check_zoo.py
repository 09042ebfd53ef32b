"""Judges the ONNX files of `export --zoo FOLDER`: onnx.checker accepts them, ONNX Runtime gives the engine's logits.

    python check_zoo.py FOLDER        (needs numpy, onnx, onnxruntime)
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

# Of the largest logit: fresh weights give some networks tiny ones, and others large ones.
TOLERANCE = 1e-5


def values(shape):
    """The fractional parts of i * .618034 as 32-bit floats compute them."""
    return np.modf(np.arange(np.prod(shape), dtype=np.float32) * np.float32(0.618034))[0].reshape(shape)


def main(folder):
    expected = json.loads((folder / "logits.json").read_text())
    files = {path.stem for path in folder.glob("*.onnx")}
    assert files == set(expected) and len(files) >= 24, files ^ set(expected)
    worst = 0.0
    for name, (shape, logits) in sorted(expected.items()):
        path = folder / f"{name}.onnx"
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        theirs = session.run(["logits"], {"input": values(shape)})[0].ravel()
        logits = np.array(logits, dtype=np.float32)
        assert theirs.shape == logits.shape and np.isfinite(theirs).all(), name
        error = float(np.abs(theirs - logits).max() / np.abs(logits).max())
        worst = max(worst, error)
        print(f"{name:24} {error:.1e} of {np.abs(logits).max():.1e}", flush=True)
        assert error < TOLERANCE, f"{name} is {error} from ONNX Runtime"
    print(f"{len(expected)} networks: at most {worst:.1e} from ONNX Runtime")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
