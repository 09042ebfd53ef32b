"""Oversampling is put right: a run that oversampled predicts as much `any` as a run of the same recipe that did not, and more
where the correction is taken back.

usage: check_prior.py FALX RUN PLAIN INDEX WORK

RUN was trained with `sampler.positive_any_share`, PLAIN without, both on a split of INDEX that locks patients away. What is
looked at is the calibration in the large of the locked patients' slices, in logits, 0 where mean prediction and prevalence
agree: PLAIN's must lie in RUN's interval over patients, and above that of RUN without the correction, which
`falx predict --prevalence` with the share that training showed takes back. How near both are to 0 is the recipe's business.
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
    binary, run, plain, index, work = sys.argv[1:]
    run, plain, work = pathlib.Path(run), pathlib.Path(plain), pathlib.Path(work)
    work.mkdir(parents=True, exist_ok=True)
    test = rows(run / "predictions-test.csv")
    locked = {row[0] for row in test[1:]}
    corrected = in_the_large(falx(binary, "evaluate", run, "--json"))

    manifest = tomllib.loads((run / "bundle" / "bundle.toml").read_text(encoding="utf-8"))
    shown = manifest["prior"]["shown_any"]
    print(f"training showed any in {shown:.4f} of the slices; the training data have it in {manifest['prevalence'][ANY]:.4f}")
    falx(binary, "predict", index, "--model", run, "--prevalence", shown, "--out", work / "all.csv")
    raw = [row for row in rows(work / "all.csv") if row[0] in locked or row[0] == "image_id"]
    assert len(raw) == len(test), "predictions of the locked slices are missing"
    with open(work / "raw.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(raw)
    uncorrected = in_the_large(falx(binary, "evaluate", work / "raw.csv", "--index", index, "--json"))

    without = in_the_large(falx(binary, "evaluate", plain, "--json"))
    words("not oversampled", without, rows(plain / "predictions-test.csv"))
    words("corrected", corrected, test)
    words("uncorrected", uncorrected, raw)
    assert corrected["low"] <= without["value"] <= corrected["high"], "the correction does not give back what was shifted"
    assert uncorrected["high"] < without["value"], "oversampling has shifted nothing"


if __name__ == "__main__":
    main()
