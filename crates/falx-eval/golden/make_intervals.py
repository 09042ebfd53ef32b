"""Expectations for intervals and tests of proportions and of areas under ROC curves.

Proportions: statsmodels. Partial areas: scikit-learn. DeLong and its clustered form: no package here has them, so the
papers' formulas are written out over all pairs of cases, without the ranks that the library uses; pROC's own numbers are
in proc.json. BCa: scipy, with many draws.
"""

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from golden import emit


def wins(positive, negative):
    """Obuchowski's psi over all pairs: 1 where the positive scores higher, one half for a tie."""
    difference = positive[:, None] - negative[None, :]
    return (difference > 0) + 0.5 * (difference == 0)


def clustered(truth, scores, cluster):
    """Areas and their covariance matrix (Obuchowski 1997); singletons give DeLong (1988)."""
    ids = np.unique(cluster)
    m, n = truth.sum(), (~truth).sum()
    areas, ten, one = [], [], []
    for score in scores:
        psi = wins(score[truth], score[~truth])
        area = psi.mean()
        v10, v01 = psi.mean(axis=1) - area, psi.mean(axis=0) - area
        ten.append(np.array([v10[cluster[truth] == i].sum() for i in ids]))
        one.append(np.array([v01[cluster[~truth] == i].sum() for i in ids]))
        areas.append(area)
    i10 = len(np.unique(cluster[truth]))
    i01 = len(np.unique(cluster[~truth]))
    ten, one = np.array(ten), np.array(one)
    s10 = i10 / ((i10 - 1) * m) * ten @ ten.T
    s01 = i01 / ((i01 - 1) * n) * one @ one.T
    s11 = len(ids) / (len(ids) - 1) * (ten @ one.T)
    covariance = s10 / m + s01 / n + (s11 + s11.T) / (m * n)
    return np.array(areas), covariance


def area_case(name, truth, scores, cluster):
    areas, covariance = clustered(truth, scores, cluster)
    single, independent = clustered(truth, scores, np.arange(len(truth)))
    assert np.allclose(areas, single)

    def test(matrix):
        variance = matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1]
        z = (areas[0] - areas[1]) / np.sqrt(variance)
        reach = stats.norm.ppf(0.975) * np.sqrt(np.diag(matrix))
        logit = np.log(areas / (1 - areas))
        half = reach / (areas * (1 - areas))
        return {
            "covariance": matrix,
            "z": z,
            "p": 2 * stats.norm.sf(abs(z)),
            "plain": np.stack([np.maximum(areas - reach, 0), np.minimum(areas + reach, 1)], axis=1),
            "logit": np.stack([1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))], axis=1),
        }

    return {
        "name": name,
        "truth": truth.astype(int),
        "scores": scores,
        "cluster": cluster,
        "auc": areas,
        "delong": test(independent),
        "clustered": test(covariance),
    }


def areas():
    rng = np.random.default_rng(88)
    cases = []
    for name, patients, slices, levels in [
        ("continuous", 40, 4, None),
        ("ties", 40, 4, 6),
        ("uneven", 60, 0, None),
        ("rare", 50, 3, 40),
    ]:
        size = np.full(patients, slices) if slices else rng.integers(1, 9, patients)
        cluster = np.repeat(np.arange(patients), size)
        shared = rng.standard_normal(patients)[cluster]
        noise = rng.standard_normal((3, len(cluster)))
        truth = shared + noise[0] > (1.9 if name == "rare" else 0.6)
        scores = np.stack([truth + 0.8 * shared + noise[1], 0.7 * truth + 0.5 * noise[1] + noise[2]])
        if levels:
            scores = np.round(scores * levels / 4)
        cases.append(area_case(name, truth, scores, cluster))
    return cases


def proportions():
    rows = []
    for k, n in [(0, 1), (1, 1), (0, 9), (9, 9), (1, 10), (5, 9), (33, 40), (500, 1000), (3, 752803), (107933, 752803)]:
        for level in [0.8, 0.95, 0.99]:
            row = {"successes": k, "trials": n, "level": level}
            row["wilson"] = proportion_confint(k, n, 1 - level, "wilson")
            row["clopper_pearson"] = proportion_confint(k, n, 1 - level, "beta")
            rows.append(row)
    return rows


def partial():
    rng = np.random.default_rng(90)
    rows = []
    for name, levels in [("continuous", None), ("ties", 3)]:
        truth = rng.random(80) < 0.4
        score = truth + rng.standard_normal(80)
        if levels:
            score = np.round(score * levels / 2)
        by_range = [[x, roc_auc_score(truth, score, max_fpr=x)] for x in [0.01, 0.05, 0.1, 0.2, 0.5, 0.99]]
        # A range of sensitivities is the same with classes and scores turned round.
        turned = [[x, roc_auc_score(~truth, -score, max_fpr=x)] for x in [0.05, 0.1, 0.2, 0.5]]
        rows.append({"name": name, "truth": truth.astype(int), "score": score,
                     "false_positive": by_range, "false_negative": turned})
    return rows


def bca():
    rng = np.random.default_rng(91)
    value = np.round(rng.exponential(1.0, 60), 6)
    other = np.round(value * 0.6 + rng.exponential(0.4, 60), 6)
    rows = []
    for name, statistic in [
        ("mean", lambda x, y, axis: x.mean(axis=axis)),
        ("ratio", lambda x, y, axis: x.mean(axis=axis) / y.mean(axis=axis)),
        ("square", lambda x, y, axis: (x.mean(axis=axis)) ** 2),
    ]:
        ends = {}
        for method in ["BCa", "percentile"]:
            found = stats.bootstrap(
                (value, other), statistic, paired=True, vectorized=True, n_resamples=100_000, method=method,
                rng=np.random.default_rng(1))
            ends[method] = [found.confidence_interval.low, found.confidence_interval.high]
        rows.append({"name": name, "value": float(statistic(value, other, -1)), **ends})
    return {"value": value, "other": other, "statistics": rows}


emit(
    "intervals",
    {"proportions": proportions(), "areas": areas(), "partial": partial(), "bca": bca()},
    ["numpy", "scipy", "scikit-learn", "statsmodels"],
)
