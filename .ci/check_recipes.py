"""Checks that recipes are what their schema says, and that the schema refuses what falx refuses.

usage: check_recipes.py FALX SCHEMA.json RECIPE.toml...
"""

import copy
import json
import pathlib
import subprocess
import sys
import tomllib

import jsonschema

falx, committed, *names = sys.argv[1:]
schema = json.loads(subprocess.run([falx, "train", "--schema"], check=True, capture_output=True).stdout)
if schema != json.loads(pathlib.Path(committed).read_text(encoding="utf-8")):
    sys.exit(f"{committed} is not what falx train --schema prints")
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
wrong = []

# What must be refused: a key with another value, or one that no recipe has.
BROKEN = [
    ("", "sed", 1), ("training", "epoch", 2), ("training", "epochs", 0), ("training", "epochs", "many"),
    ("training", "learning_rate", 0), ("network", "name", "resnet19"), ("network", "head", "large"),
    ("network", "dropout", 1), ("input", "size", 8), ("input", "windows", [[40]]), ("input", "crop", "brain"),
    ("sampler", "label_shares", {"subgaleal": 0.1}), ("sampler", "label_shares", {"epidural": 2}),
    ("loss", "name", "hinge"), ("loss", "label_weights", [1, 1]), ("", "augment", "fully"), ("", "augment", ["flip", "flop"]),
    ("", "augment", {"flips": True}), ("", "augment", {"preset": "fully"}), ("", "optimizer", {"name": "lion"}),
    ("", "optimizer", {"name": "sgd", "beta1": 0.9}), ("", "schedule", {"name": "cosine"}),
    ("", "schedule", {"name": "one_cycle", "gamma": 0.1}), ("", "schedule", {"name": "step", "size": 3}),
    ("", "phases", [{"frozen": "backbone"}]), ("", "groups", [{"rate": 2}]), ("", "data", {"index": "i.parquet"}),
]
# What must be allowed, beside the recipes themselves.
FINE = [
    ("", "augment", "full"), ("", "augment", ["default", "mixup"]), ("", "augment", {}),
    ("", "augment", {"preset": ["default"], "cutout": 0.01}), ("sampler", "label_shares", {"epidural": 0.05}),
    ("", "optimizer", {"name": "rmsprop", "centered": True}), ("", "schedule", {"name": "step", "size": 3, "gamma": 0.1}),
    ("", "schedule", {"name": "one_cycle", "momentum": [0.8, 0.9]}), ("", "schedule", {"name": "plateau"}),
    ("", "schedule", {"name": "constant"}), ("", "schedule", {"name": "warmup_cosine", "warmup": 3, "minimum": 0}),
    ("training", "ema", {"decay": 0.99}), ("", "groups", [{"module": "head", "rate": 2}]),
    ("", "phases", [{"epochs": 1, "frozen": ["backbone"]}, {"rate": 0.2}]),
]


def changed(recipe, table, key, value):
    recipe = copy.deepcopy(recipe)
    (recipe.setdefault(table, {}) if table else recipe)[key] = value
    return recipe


for name in names:
    text = pathlib.Path(name).read_text(encoding="utf-8")
    recipe = tomllib.loads(text)
    for error in validator.iter_errors(recipe):
        wrong.append(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    first = text.splitlines()[0]
    path = first.removeprefix("#:schema ")
    if path == first or (pathlib.Path(name).parent / path).resolve() != pathlib.Path(committed).resolve():
        wrong.append(f"{name}: the first line does not name {committed}")
    for change in BROKEN:
        if validator.is_valid(changed(recipe, *change)):
            wrong.append(f"{name}: {change} is not refused")
    for change in FINE:
        if not validator.is_valid(changed(recipe, *change)):
            wrong.append(f"{name}: {change} is refused")
print("\n".join(wrong) or f"{len(names)} recipes are as the schema says; {len(BROKEN)} faults in each are refused")
sys.exit(bool(wrong))
