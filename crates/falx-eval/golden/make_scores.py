"""Makes scores.json: scores of small cases by scikit-learn, with ties and rare classes."""

import numpy as np
from golden import emit
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

rng = np.random.default_rng(2019)
cases = []
for name, n, share, levels in [
    ("continuous", 60, 0.4, None),
    ("many_ties", 80, 0.3, 4),
    ("all_tied", 12, 0.5, 1),
    ("rare", 200, 0.02, 50),
    ("mostly_positive", 50, 0.9, 10),
]:
    truth = rng.random(n) < share
    truth[:2] = [True, False]
    score = np.clip(0.5 + 0.25 * (truth - 0.5) + 0.3 * rng.standard_normal(n), 0.01, 0.99)
    if levels is not None:
        score = (np.floor(score * levels) + 0.5) / levels
    cases.append({
        "name": name,
        "truth": [int(t) for t in truth],
        "score": score,
        "log_loss": log_loss(truth, score, labels=[False, True]),
        "auc": roc_auc_score(truth, score),
        "average_precision": average_precision_score(truth, score),
    })
emit("scores", {"cases": cases}, packages=["numpy", "scikit-learn"])
