"""Writes compare.json: Holm's adjustment by statsmodels, and aggregations of slices by NumPy and SciPy.

    python make_compare.py [--check]
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from statsmodels.stats.multitest import multipletests

from golden import emit


def aggregations(p):
    """A series' prediction by every aggregation that falx offers."""
    weights = gaussian_filter1d(np.ones_like(p), sigma=1.0, truncate=3.0, mode="constant")
    smoothed = gaussian_filter1d(p, sigma=1.0, truncate=3.0, mode="constant") / weights
    return {
        "max": np.max(p),
        "top-mean": np.mean(np.sort(p)[-3:]),
        "noisy-or": 1.0 - np.prod(1.0 - p),
        "mean": np.mean(p),
        "quantile-95": np.quantile(p, 0.95),
        "smoothed-max": np.max(smoothed),
    }


def main():
    rng = np.random.default_rng(20)
    holm = []
    for tests in (1, 2, 5, 14, 35):
        p = np.round(rng.random(tests) ** 3, 4)
        holm.append({"p": p, "adjusted": multipletests(p, method="holm")[1]})
    series = []
    for slices in (1, 2, 3, 4, 7, 8, 24, 40):
        p = rng.beta(0.3, 2.0, slices)
        series.append({"p": p, "whole": aggregations(p)})
    emit("compare", {"holm": holm, "series": series}, ["numpy", "scipy", "statsmodels"])


main()
