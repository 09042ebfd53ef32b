"""Judges the ONNX files of `export --zoo FOLDER`: onnx.checker accepts them, ONNX Runtime and tract give the engine's logits.

    python check_zoo.py FOLDER        (needs numpy, onnx, onnxruntime, tract)
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import tract

# Of the largest logit: fresh weights give some networks tiny ones, and others large ones.
TOLERANCE = 1e-5


def values(shape):
    """The fractional parts of i * .618034 as 32-bit floats compute them."""
    return np.modf(np.arange(np.prod(shape), dtype=np.float32) * np.float32(0.618034))[0].reshape(shape)


def by_onnx_runtime(path, picture):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"input": picture})[0]


def by_tract(path, picture):
    model = tract.onnx().load(str(path))
    model.set_input_fact(0, ",".join(map(str, picture.shape)) + ",f32")
    return model.into_model().into_runnable().run([picture])[0].to_numpy()


READERS = {"ONNX Runtime": by_onnx_runtime, "tract": by_tract}


def main(folder):
    expected = json.loads((folder / "logits.json").read_text())
    files = {path.stem for path in folder.glob("*.onnx")}
    assert files == set(expected) and len(files) >= 24, files ^ set(expected)
    worst = dict.fromkeys(READERS, 0.0)
    for name, (shape, logits) in sorted(expected.items()):
        path = folder / f"{name}.onnx"
        onnx.checker.check_model(str(path), full_check=True)
        logits = np.array(logits, dtype=np.float32)
        errors = []
        for reader, run in READERS.items():
            theirs = run(path, values(shape)).ravel()
            assert theirs.shape == logits.shape and np.isfinite(theirs).all(), f"{name} by {reader}"
            error = float(np.abs(theirs - logits).max() / np.abs(logits).max())
            worst[reader] = max(worst[reader], error)
            errors.append(f"{error:.1e}")
            assert error < TOLERANCE, f"{name} is {error} from {reader}"
        print(f"{name:24} {'  '.join(errors)} of {np.abs(logits).max():.1e}", flush=True)
    of = ", ".join(f"{error:.1e} from {reader}" for reader, error in worst.items())
    print(f"{len(expected)} networks: at most {of}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
