"""A network of slices with their neighbours (2.5D) and a second stage over the series beats every row of the seed's table
on the locked patients, by intervals that exclude 0.

usage: check_experiments.py FALX FOLDER

FOLDER holds the runs of .ci/experiments. Writes FOLDER/table.csv and FOLDER/table.html, and prints the differences.
"""

import json
import pathlib
import subprocess
import sys

OURS = "inception-v3-2.5d-gru"
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
    unbeaten = []
    for name, evaluation in entries.items():
        loss = evaluation["weighted_log_loss"]
        line = f"{name:38} {loss['value']:.4f} ({loss['low']:.4f} to {loss['high']:.4f})"
        if name in losses:
            more = losses[name]
            line += f"  {more['value']:+.4f} ({more['low']:+.4f} to {more['high']:+.4f})"
            if name in seed and more["low"] <= 0:
                unbeaten.append(name)
        print(line)
    assert not unbeaten, f"not worse by an interval that excludes 0: {', '.join(unbeaten)}"


if __name__ == "__main__":
    main()
