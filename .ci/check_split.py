"""A split, checked by other software than falx: pandas reads both files and counts again.

usage: check_split.py INDEX SPLIT [--tolerance 0.03] [--tolerance-epidural 0.08]

* no patient, study, series, picture (blank ones aside) or image id is in two folds;
* every usable slice of the index is in the split, and nothing else is;
* every label's prevalence in every fold is within the tolerance (relative) of the whole's.

Exit code 1 otherwise. Needs pandas and pyarrow.
"""

import argparse
import sys

import pandas

LABELS = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
TIES = ["patient", "study_uid", "series_uid", "pixel_hash", "image_id"]

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("index")
parser.add_argument("split")
parser.add_argument("--tolerance", type=float, default=0.03)
parser.add_argument("--tolerance-epidural", type=float, default=0.08)
arguments = parser.parse_args()

index = pandas.read_parquet(arguments.index, columns=[*TIES, *LABELS, "usable", "hu_min", "hu_max"])
split = pandas.read_parquet(arguments.split)[["image_id", "fold"]]
faults = []

usable = index[index.usable]
split_ids, usable_ids = set(split.image_id), set(usable.image_id)
if usable_ids - split_ids:
    faults.append(f"{len(usable_ids - split_ids)} usable slices are in no fold")
if split_ids - usable_ids:
    faults.append(f"{len(split_ids - usable_ids)} slices of the split are no usable slices of the index")

# A slice in two folds gives two rows here, and so shows under every tie.
rows = usable.merge(split.drop_duplicates(), on="image_id")
rows.loc[rows.hu_min.notna() & (rows.hu_min == rows.hu_max), "pixel_hash"] = None
for tie in TIES:
    folds = rows.dropna(subset=[tie]).groupby(tie, sort=False).fold.nunique()
    leaks = int((folds > 1).sum())
    print(f"{tie:<12}{len(folds):>9} different, {leaks} in two folds")
    if leaks:
        faults.append(f"{leaks} of {tie} are in two folds")

whole = rows[LABELS].astype("Float64").mean()
by_fold = rows.groupby("fold")[LABELS].agg(lambda column: column.astype("Float64").mean())
off = by_fold / whole - 1
sizes = rows.groupby("fold").size()
print("\nprevalence, and how far it is from the whole's")
for fold in by_fold.index:
    shown = (f"{label} {by_fold[label][fold]:.4%} ({off[label][fold]:+.2%})" for label in LABELS)
    print(f"{fold:>3} {sizes[fold]:>8} slices: " + ", ".join(shown))
for label in LABELS:
    tolerance = arguments.tolerance_epidural if label == "epidural" else arguments.tolerance
    worst = off[label].abs().max()
    if pandas.notna(worst) and worst > tolerance:
        faults.append(f"{label} is off by {worst:.2%} in a fold, more than {tolerance:.0%}")

for fault in faults:
    print("FAULT:", fault)
sys.exit(1 if faults else 0)
