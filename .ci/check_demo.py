"""The demo must reach what it promises: half the no-skill loss, and an AUC of `any` of .90, on patients never seen."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    demo = json.load(file)
evaluation = demo["evaluation"]
loss = evaluation["weighted_log_loss"]["value"]
baseline = evaluation["baselines"][0]["weighted_log_loss"]
auc = next(row["auc"]["value"] for row in evaluation["labels"] if row["label"] == "any")
print(f"loss {loss:.4f}, prevalence baseline {baseline:.4f}, ratio {loss / baseline:.3f}, AUC of any {auc:.4f}")
assert loss <= 0.5 * baseline, "the demo's loss is above half of the prevalence baseline"
assert auc >= 0.90, "the demo's AUC of any is below .90"
