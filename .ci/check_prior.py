"""Oversampling is put right: the mean predicted `any` of a run that oversampled is the prevalence, and is not where the
correction is taken back.

usage: check_prior.py FALX RUN INDEX WORK

RUN was trained with `sampler.positive_any_share`; INDEX has patients that it has not seen. What is looked at is the calibration in
the large of their slices, in logits, 0 where mean prediction and prevalence agree: its interval over patients must hold 0, and that
of the predictions without the correction, which `falx predict --prevalence` with the share that training showed takes back, must
lie below 0.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tomllib

ANY = 5


def falx(binary, *words):
    done = subprocess.run([binary, *map(str, words), "-q"], check=True, stdout=subprocess.PIPE)
    return done.stdout


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def in_the_large(evaluation):
    return json.loads(evaluation)["labels"][ANY]["calibration"]["in_the_large"]


def words(name, found, table):
    mean = sum(float(row[-1]) for row in table[1:]) / (len(table) - 1)
    print(f"{name}: mean predicted any {mean:.4f}; in the large {found['value']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f}) logits")


def main():
    binary, run, index, work = sys.argv[1:]
    run, work = pathlib.Path(run), pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)
    manifest = tomllib.loads((run / "bundle" / "bundle.toml").read_text(encoding="utf-8"))
    shown = manifest["prior"]["shown_any"]
    print(f"training showed any in {shown:.4f} of the slices; the training data have it in {manifest['prevalence'][ANY]:.4f}")
    found = {}
    for name, more in [("corrected", []), ("uncorrected", ["--prevalence", shown])]:
        path = work / f"{name}.csv"
        falx(binary, "predict", index, "--model", run, *more, "--out", path)
        found[name] = in_the_large(falx(binary, "evaluate", path, "--index", index, "--json"))
        words(name, found[name], rows(path))
    corrected, uncorrected = found["corrected"], found["uncorrected"]
    assert corrected["low"] <= 0 <= corrected["high"], "the mean prediction is not the prevalence"
    assert uncorrected["high"] < 0, "oversampling has shifted nothing"


if __name__ == "__main__":
    main()
