"""The demo must show skill on patients never seen: .65 of the no-skill loss or less, and an AUC of `any` of .90.

With 28 patients the loss varies from split to split (.50 to .59 of the baseline for three seeds of the same phantom), and a
little from processor to processor: a limit of one half would judge the patients that were drawn, not the program.
"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    demo = json.load(file)
evaluation = demo["evaluation"]
loss = evaluation["weighted_log_loss"]["value"]
baseline = evaluation["baselines"][0]["weighted_log_loss"]
auc = next(row["auc"]["value"] for row in evaluation["labels"] if row["label"] == "any")
print(f"loss {loss:.4f}, prevalence baseline {baseline:.4f}, ratio {loss / baseline:.3f}, AUC of any {auc:.4f}")
assert loss <= 0.65 * baseline, "the demo's loss is above .65 of the prevalence baseline"
assert auc >= 0.90, "the demo's AUC of any is below .90"
