"""Writes the expectations that falx-eval's tests compare with, or checks that they still hold.

`python make_TOPIC.py` writes TOPIC.json beside this file; `python make_TOPIC.py --check` computes the same numbers and
compares them with the file: exit code 1 when one differs by more than 1e-9, relative to its size where that is above 1.
"""

import importlib.metadata
import json
import math
import sys
from pathlib import Path

TOLERANCE = 1e-9


def plain(value):
    """The value without NumPy's types, as JSON holds it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an expectation is not finite; leave it out or say null")
    return value


def differences(have, want, path=""):
    """Where two documents differ, as lines of text."""
    if isinstance(want, dict) and isinstance(have, dict):
        for key in sorted(have.keys() | want.keys()):
            if key not in have or key not in want:
                yield f"{path}/{key}: only on one side"
            else:
                yield from differences(have[key], want[key], f"{path}/{key}")
    elif isinstance(want, list) and isinstance(have, list):
        if len(have) != len(want):
            yield f"{path}: {len(have)} items, not {len(want)}"
        for number, (a, b) in enumerate(zip(have, want)):
            yield from differences(a, b, f"{path}[{number}]")
    elif is_number(have) and is_number(want):
        if abs(have - want) > TOLERANCE * max(1.0, abs(want)):
            yield f"{path}: {have!r}, not {want!r}"
    elif have != want:
        yield f"{path}: {have!r}, not {want!r}"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def emit(topic, data, packages=()):
    """Writes TOPIC.json, or with --check compares with it. `packages` are those that computed the expectations."""
    path = Path(__file__).with_name(f"{topic}.json")
    data = plain(data)
    if "--check" not in sys.argv[1:]:
        versions = {name: importlib.metadata.version(name) for name in packages}
        text = json.dumps({"made_with": versions, **data}, separators=(",", ":"), allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")
        print(f"wrote {path.name}: {len(text)} bytes")
        return
    have = json.loads(path.read_text(encoding="utf-8"))
    have.pop("made_with", None)
    found = list(differences(have, data))
    for line in found[:20]:
        print(f"{topic}: {line}", file=sys.stderr)
    if found:
        sys.exit(f"{topic}.json differs from what the packages compute now in {len(found)} places")
    print(f"{topic}: agrees")
