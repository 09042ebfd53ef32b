"""Reader agreement by scikit-learn (Cohen's kappa), statsmodels (its standard error, Fleiss' kappa) and krippendorff
(alpha, with missing reads); Holm's correction by statsmodels. The standard error of Fleiss' kappa is Gwet's formula;
irrCAC 0.4.4, whose pins exclude the others', gives the same on these reads to 1e-14."""

import numpy as np
from golden import emit
from krippendorff import alpha
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(491)


def reads(cases, readers, share, slip, missing):
    """What readers say of cases: the truth but for slips, -1 where nothing."""
    truth = rng.random(cases) < share
    said = np.array([(truth ^ (rng.random(cases) < slip)) for _ in range(readers)], dtype=int).T
    said[rng.random(said.shape) < missing] = -1
    return said


def pair(a, b):
    known = (a >= 0) & (b >= 0)
    a, b = a[known], b[known]
    table = [[int(np.sum((a == i) & (b == j))) for j in (1, 0)] for i in (1, 0)]
    found = cohens_kappa(np.array(table))
    assert abs(found.kappa - cohen_kappa_score(a, b)) < 1e-12
    n = len(a)
    return {
        "cells": [table[0][0], table[0][1], table[1][0], table[1][1]],
        "kappa": cohen_kappa_score(a, b),
        "standard_error": found.std_kappa,
        "agreement": np.mean(a == b),
        "prevalence_index": (table[0][0] - table[1][1]) / n,
        "bias_index": (table[0][1] - table[1][0]) / n,
    }


def fleiss_standard_error(counts):
    """For any true agreement (Gwet, Handbook of Inter-Rater Reliability, 2014); counts of each answer a case."""
    n, m = len(counts), counts.sum(axis=1)[0]
    share = counts.sum(axis=0) / counts.sum()
    chance = (share**2).sum()
    agreement = (counts * (counts - 1)).sum(axis=1) / (m * (m - 1))
    kappa = (agreement.mean() - chance) / (1 - chance)
    of_case = (agreement - chance) / (1 - chance)
    chance_of_case = (counts * share).sum(axis=1) / m
    turned = of_case - 2 * (1 - kappa) * (chance_of_case - chance) / (1 - chance)
    return np.sqrt(((turned - kappa) ** 2).sum() / (n * (n - 1)))


tables = []
for name, *arguments in [
    ("three readers", 120, 3, 0.4, 0.08, 0.0),
    ("rare finding", 200, 3, 0.06, 0.03, 0.0),
    ("four, often at odds", 60, 4, 0.5, 0.35, 0.0),
    ("missing reads", 90, 3, 0.35, 0.1, 0.2),
]:
    said = reads(*arguments)
    readers = said.shape[1]
    complete = said[(said >= 0).all(axis=1)]
    counts, _ = aggregate_raters(complete, n_cat=2)
    tables.append({
        "name": name,
        "reads": said,
        "pairs": [pair(said[:, i], said[:, j]) for i in range(readers) for j in range(i + 1, readers)],
        "fleiss_kappa": fleiss_kappa(counts),
        "fleiss_standard_error": fleiss_standard_error(counts),
        "alpha": alpha(np.where(said < 0, np.nan, said).T.astype(float), level_of_measurement="nominal"),
    })

p = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.9], [0.002], rng.random(21) ** 3]
holm = [{"p": list(one), "corrected": multipletests(one, method="holm")[1]} for one in p]

emit("agreement", {"tables": tables, "holm": holm}, ["scikit-learn", "statsmodels", "krippendorff"])
