"""A network of slices with their neighbours (2.5D) and a second stage over the series beats the seed's row that it is built on, on
the locked patients and by an interval that excludes 0. How it stands beside every other row is printed.

usage: check_experiments.py FALX FOLDER

FOLDER holds the runs of .ci/experiments. Writes FOLDER/table.csv and FOLDER/table.html, and prints the differences.
"""

import json
import pathlib
import subprocess
import sys

OURS = "inception-v3-2.5d-gru"
BUILT_ON = "inception-v3-oversampled-augmented"
SEED = pathlib.Path(__file__).parent.parent / "recipes" / "seed"
TODAY = ["inception-v3-gru", "resnet18-2.5d-gru", "resnet18-2.5d", "efficientnet-b0"]


def main():
    falx, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    seed = sorted(recipe.stem for recipe in SEED.glob("*.toml"))
    runs = [folder / name for name in [OURS, *TODAY, *seed]]
    files = ["--html", folder / "table.html", "--table", folder / "table.csv"]
    command = [falx, "compare", *runs, "--reference", OURS, *files, "--json", "-q"]
    done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE)
    table = json.loads(done.stdout)
    entries = {entry["name"]: entry["evaluation"] for entry in table["entries"]}
    losses = {d["entry"]: d["difference"] for d in table["differences"] if d["score"] == "weighted_log_loss"}
    print(f"{table['slices']} slices of {table['patients']} locked patients; {OURS} is what the others are compared with")
    for name, evaluation in entries.items():
        loss = evaluation["weighted_log_loss"]
        line = f"{name:38} {loss['value']:.4f} ({loss['low']:.4f} to {loss['high']:.4f})"
        if name in losses:
            more = losses[name]
            line += f"  {more['value']:+.4f} ({more['low']:+.4f} to {more['high']:+.4f})"
        print(line)
    assert losses[BUILT_ON]["low"] > 0, "the seed's row is not worse by an interval that excludes 0"


if __name__ == "__main__":
    main()
