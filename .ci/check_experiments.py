"""The second stage beats every row of the seed's table on the locked patients, by intervals that exclude 0.

usage: check_experiments.py FALX FOLDER

FOLDER holds the runs of .ci/experiments. Writes FOLDER/table.csv and FOLDER/table.html, and prints the differences.
"""

import json
import pathlib
import subprocess
import sys

BEST = "inception-v3-gru"
SEED = pathlib.Path(__file__).parent.parent / "recipes" / "seed"
TODAY = ["inception-v3-2.5d-gru", "resnet18-2.5d-gru", "resnet18-2.5d-oversampled", "resnet18-2.5d", "efficientnet-b0"]


def main():
    falx, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    seed = sorted(recipe.stem for recipe in SEED.glob("*.toml"))
    runs = [folder / name for name in [BEST, *TODAY, *seed]]
    files = ["--html", folder / "table.html", "--table", folder / "table.csv"]
    command = [falx, "compare", *runs, "--reference", BEST, *files, "--json", "-q"]
    done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE)
    table = json.loads(done.stdout)
    entries = {entry["name"]: entry["evaluation"] for entry in table["entries"]}
    losses = {d["entry"]: d["difference"] for d in table["differences"] if d["score"] == "weighted_log_loss"}
    print(f"{table['slices']} slices of {table['patients']} locked patients; {BEST} is what the others are compared with")
    beaten = True
    for name, evaluation in entries.items():
        loss = evaluation["weighted_log_loss"]
        line = f"{name:38} {loss['value']:.4f} ({loss['low']:.4f} to {loss['high']:.4f})"
        if name in losses:
            more = losses[name]
            line += f"  {more['value']:+.4f} ({more['low']:+.4f} to {more['high']:+.4f})"
            beaten &= name not in seed or more["low"] > 0
        print(line)
    assert beaten, "a row of the seed's table is not worse by an interval that excludes 0"


if __name__ == "__main__":
    main()
