"""Prediction sets by MAPIE where every patient has one case; patient-weighted quantiles, conformal risk control and
risk-coverage areas from their formulas."""

import warnings

import numpy as np
from golden import emit
from mapie.classification import SplitConformalClassifier
from sklearn.base import BaseEstimator, ClassifierMixin

warnings.filterwarnings("ignore")
rng = np.random.default_rng(2024)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are its input."""

    def fit(self, x, y):
        self.classes_ = np.array([0, 1])
        self.is_fitted_ = True
        return self

    def predict_proba(self, x):
        return np.column_stack([1 - x[:, 0], x[:, 0]])

    def predict(self, x):
        return (x[:, 0] >= 0.5).astype(int)


def cohort(patients, most, share):
    """Patients whose cases share a part of their score: truths, probabilities, clusters."""
    truth, p, cluster = [], [], []
    for patient in range(patients):
        effect = rng.standard_normal()
        for _ in range(rng.integers(1, most + 1)):
            y = rng.random() < share
            logit = 2.0 * y - 1.0 + effect + 0.8 * rng.standard_normal()
            truth.append(int(y))
            p.append(1 / (1 + np.exp(-logit)))
            cluster.append(patient)
    return np.array(truth), np.array(p), np.array(cluster)


def mapie_sets(truth, p, judged, alpha):
    model = SplitConformalClassifier(Given().fit(None, None), confidence_level=1 - alpha,
                                     conformity_score="lac", prefit=True)
    model.conformalize(p[:, None], truth)
    _, sets = model.predict_set(judged[:, None])
    return sets[:, :, 0].astype(int)


single = []
for patients, alpha in [(60, 0.1), (99, 0.1), (40, 0.2), (150, 0.05)]:
    truth, p, _ = cohort(patients, 1, 0.4)
    judged = rng.random(50)
    single.append({
        "truth": truth, "prediction": p, "alpha": alpha, "judged": judged,
        "marginal": mapie_sets(truth, p, judged, alpha),
    })


def weighted_quantile(scores, cluster, alpha):
    """The lowest score with (1 - alpha) of the patients' weight at or below it, one patient more at infinity."""
    if len(scores) == 0:
        return None
    ids, counts = np.unique(cluster, return_counts=True)
    weight = 1 / counts[np.searchsorted(ids, cluster)] / (len(ids) + 1)
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order])
    enough = np.nonzero(reached >= 1 - alpha - 1e-12)[0]
    return scores[order][enough[0]] if len(enough) else None


def controlled(truth, p, cluster, alpha):
    """By going through all candidate thresholds, highest first."""
    ids = np.unique(cluster[truth == 1])
    for t in np.unique(p[truth == 1])[::-1]:
        losses = [np.mean(p[(cluster == i) & (truth == 1)] < t) for i in ids]
        if (np.sum(losses) + 1) / (len(ids) + 1) <= alpha + 1e-12:
            return {"threshold": t, "risk": np.mean(losses)}
    return {"threshold": None, "risk": 0.0}


clustered = []
for patients, most, alpha in [(50, 12, 0.1), (30, 30, 0.2), (120, 5, 0.05), (6, 4, 0.1)]:
    truth, p, cluster = cohort(patients, most, 0.35)
    score = np.where(truth == 1, 1 - p, p)
    clustered.append({
        "truth": truth, "prediction": p, "cluster": cluster, "alpha": alpha,
        "no": weighted_quantile(score[truth == 0], cluster[truth == 0], alpha),
        "yes": weighted_quantile(score[truth == 1], cluster[truth == 1], alpha),
        "marginal": weighted_quantile(score, cluster, alpha),
        "control": controlled(truth, p, cluster, alpha),
    })


def area(key, loss):
    """The mean of the risks at 1 … n cases kept, the lowest keys first; ties in expectation over their order."""
    spread = loss.astype(float).copy()
    for value in np.unique(key):
        spread[key == value] = loss[key == value].mean()
    order = np.argsort(key, kind="stable")
    return np.mean(np.cumsum(spread[order]) / np.arange(1, len(key) + 1)), np.cumsum(spread[order])


selective = []
for patients, step in [(40, None), (60, 20), (300, 4)]:
    truth, p, cluster = cohort(patients, 6, 0.4)
    if step:
        p = (np.floor(p * step) + 0.5) / step
    n = len(truth)
    likelier = np.maximum(p, 1 - p).round(12)
    losses = {
        "error": ((p >= 0.5) != (truth == 1)).astype(float),
        "log_loss": -np.where(truth == 1, np.log(p), np.log(1 - p)),
    }
    expected = {}
    for name, loss in losses.items():
        found, lost = area(-likelier, loss)
        kept = [int(np.ceil(c * n - 1e-9)) for c in (0.8, 0.9)]
        expected[name] = {
            "full_risk": loss.mean(), "area": found, "oracle_area": area(loss.round(12), loss)[0],
            "at": [lost[k - 1] / k for k in kept],
        }
    selective.append({"truth": truth, "prediction": p, "cluster": cluster, **expected})

emit("conformal", {"single": single, "clustered": clustered, "selective": selective}, ["MAPIE", "scikit-learn", "numpy"])
