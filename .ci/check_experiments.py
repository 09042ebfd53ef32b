"""A network of slices with their neighbours (2.5D) and a second stage over the series beats every row of the seed's table
on patients that no choice has seen, by intervals that exclude 0.

usage: check_experiments.py FALX FOLDER

FOLDER holds the runs of .ci/experiments, and in FOLDER/test what they say of other phantoms. Writes FOLDER/table.csv and table.html, which
say what each run was and cost, with its own locked patients, and the same of FOLDER/test; prints losses and differences.
"""

import json
import pathlib
import subprocess
import sys

ANY = 5
OURS = "inception-resnet-v2-2.5d-gru"
SEED = pathlib.Path(__file__).parent.parent / "recipes" / "seed"
TODAY = ["inception-v3-2.5d-gru", "inception-v3-gru", "resnet18-2.5d-gru", "resnet18-2.5d", "efficientnet-b0"]


def compare(falx, entries, folder, *more):
    files = ["--html", folder / "table.html", "--table", folder / "table.csv"]
    command = [falx, "compare", *entries, "--reference", OURS, *more, *files, "--json", "-q"]
    done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def main():
    falx, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    seed = sorted(recipe.stem for recipe in SEED.glob("*.toml"))
    names, test = [OURS, *TODAY, *seed], folder / "test"
    own = compare(falx, [folder / name for name in names], folder)
    own = {entry["name"]: entry["evaluation"]["weighted_log_loss"] for entry in own["entries"]}

    table = compare(falx, [f"{name}={test / name}.csv" for name in names], test, "--index", test / "index.parquet")
    losses = {d["entry"]: d["difference"] for d in table["differences"] if d["score"] == "weighted_log_loss"}
    print(f"{table['slices']} slices of {table['patients']} patients that no choice has seen; {OURS} is what the others are compared with")
    unbeaten = []
    for entry in table["entries"]:
        name, evaluation = entry["name"], entry["evaluation"]
        loss, auc = evaluation["weighted_log_loss"], evaluation["labels"][ANY]["auc"]
        line = f"{name:38} {loss['value']:.4f} ({loss['low']:.4f} to {loss['high']:.4f}) AUC of any {auc['value']:.3f}"
        if name in losses:
            more = losses[name]
            line += f"  {more['value']:+.4f} ({more['low']:+.4f} to {more['high']:+.4f})"
            if name in seed and more["low"] <= 0:
                unbeaten.append(name)
        print(f"{line}  own locked patients {own[name]['value']:.4f}")
    assert not unbeaten, f"not worse by an interval that excludes 0: {', '.join(unbeaten)}"


if __name__ == "__main__":
    main()
