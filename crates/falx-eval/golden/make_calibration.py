"""Writes calibration.json: calibration statistics and recalibration curves of small clustered samples.

    python make_calibration.py [--check]

Brier score, reliability curves and isotonic regression are scikit-learn's; slopes, intercepts, Platt's line and the beta curve are
statsmodels' logistic regressions run to convergence, temperatures scipy's root of the loss's derivative. scikit-learn's Platt
scaling and the package betacal stop at a looser tolerance; the script asserts that they agree as far as they go. Brier's parts, the
debiased errors, consistency bands and the EM algorithm for a prior are written out from the papers' formulas.
"""

import numpy as np
import statsmodels.api as sm
from betacal import BetaCalibration
from scipy import optimize, special, stats
from sklearn.calibration import _SigmoidCalibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from golden import emit

GRID = np.concatenate([[0.0, 0.001], np.linspace(0.013, 0.987, 31), [0.999, 1.0]])


def sample(seed, patients, slices, slope, intercept, spread, round_to=None, classes=None):
    """Clustered cases whose true logit is a line on the predicted one."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), slices)
    logit = -1.5 + spread * (0.7 * rng.standard_normal(patients)[patient] + rng.standard_normal(patient.size))
    shared = 0.8 * rng.standard_normal(patients)[patient]
    truth = rng.random(patient.size) < special.expit(intercept + slope * logit + shared)
    p = special.expit(logit)
    if round_to is not None:
        p = (np.floor(p * round_to) + 0.5) / round_to
    if classes is not None:
        truth = classes(p, truth, rng)
    return truth.astype(float), p, patient


def fitted(truth, columns, groups=None, offset=None):
    """A logistic regression run until its coefficients stand still."""
    model = sm.GLM(truth, columns, family=sm.families.Binomial(), offset=offset)
    kinds = {} if groups is None else {"cov_type": "cluster", "cov_kwds": {"groups": groups, "use_correction": True}}
    return model.fit(tol=1e-15, maxiter=200, tol_criterion="params", **kinds)


def estimates(result, groups):
    """Coefficients with intervals by Student's t over the clusters."""
    t = stats.t.ppf(0.975, len(np.unique(groups)) - 1)
    return [[b, b - t * e, b + t * e] for b, e in zip(result.params, result.bse)]


def equal_mass(p, bins=10):
    """Bins by falx's rule: filled to the target, equal predictions together, a small rest joins its neighbour."""
    order = np.argsort(p, kind="stable")
    target = -(-p.size // bins)
    groups, start = [], 0
    while start < p.size:
        edge = p[order[min(start + target, p.size) - 1]]
        end = int(np.sum(p <= edge))
        groups.append(order[start:end])
        start = end
    if len(groups) > 1 and 2 * len(groups[-1]) < target:
        rest = groups.pop()
        groups[-1] = np.concatenate([groups[-1], rest])
    return groups


def brier_parts(truth, p, groups):
    n, base = truth.size, truth.mean()
    part = dict.fromkeys(["reliability", "resolution", "within_bin_variance", "within_bin_covariance"], 0.0)
    chance = 0.0
    for g in groups:
        y, q = truth[g], p[g]
        part["reliability"] += g.size / n * (q.mean() - y.mean()) ** 2
        part["resolution"] += g.size / n * (y.mean() - base) ** 2
        part["within_bin_variance"] += np.sum((q - q.mean()) ** 2) / n
        part["within_bin_covariance"] += 2 * np.sum((q - q.mean()) * (y - y.mean())) / n
        chance += g.size / n * y.mean() * (1 - y.mean()) / (g.size - 1)
    part["uncertainty"] = base * (1 - base)
    part["score"] = brier_score_loss(truth, p)
    part["skill"] = 1 - part["score"] / part["uncertainty"]
    part["reliability_debiased"] = max(0.0, part["reliability"] - chance)
    return part


def calibration_errors(truth, p, patient, groups):
    """Plain, debiased (variance over patients, mean of a folded normal) and maximum calibration error."""
    plain = debiased = largest = 0.0
    for g in groups:
        gap = truth[g].mean() - p[g].mean()
        owners = np.unique(patient[g])
        sums = [np.sum((truth[g] - p[g] - gap)[patient[g] == c]) for c in owners]
        variance = owners.size / (owners.size - 1) * np.sum(np.square(sums)) / g.size**2
        deviation = np.sqrt(variance)
        mean = stats.foldnorm.mean(abs(gap) / deviation, scale=deviation) if deviation > 0 else abs(gap)
        share = g.size / truth.size
        plain += share * abs(gap)
        debiased += share * (2 * abs(gap) - mean)
        largest = max(largest, abs(gap))
    return {"expected_error": plain, "expected_error_debiased": max(0.0, debiased), "maximum_error": largest}


def band(p):
    """Quantiles of the number of positives among independent cases: the distribution by convolution."""
    mass = np.ones(1)
    for q in p:
        mass = np.convolve(mass, [1 - q, q])
    below = np.cumsum(mass)
    return [int(np.searchsorted(below, share)) / p.size for share in (0.025, 0.975)]


def beta(truth, p):
    """The best rising beta curve: unconstrained, or with the offending parameter at 0."""
    x, y, one = np.log(p), -np.log1p(-p), np.ones_like(p)
    a, b, c = fitted(truth, np.column_stack([x, y, one])).params
    if a < 0:
        (b, c), a = fitted(truth, np.column_stack([y, one])).params, 0.0
    elif b < 0:
        (a, c), b = fitted(truth, np.column_stack([x, one])).params, 0.0
    assert a >= 0 and b >= 0
    peer = BetaCalibration("abm").fit(p.reshape(-1, 1), truth)
    mine = special.expit(a * x + b * y + c)
    assert np.max(np.abs(peer.predict(p) - mine)) < 2e-3, np.max(np.abs(peer.predict(p) - mine))
    return {"a": a, "b": b, "c": c}


def em_prior(p, old):
    """Saerens, Latinne and Decaestecker 2002, equations 2.4, until nothing changes."""
    new = old
    for _ in range(2_000_000):
        positive = p * new / old
        posterior = positive / (positive + (1 - p) * (1 - new) / (1 - old))
        step, new = posterior.mean() - new, posterior.mean()
        if abs(step) < 1e-16:
            break
    ratio = np.sum(np.log(p * new / old + (1 - p) * (1 - new) / (1 - old)))
    return {"old": old, "prior": new, "likelihood_ratio": 2 * ratio, "p_value": stats.chi2.sf(2 * ratio, 1)}


def case(name, truth, p, patient):
    logit, one = special.logit(p), np.ones_like(p)
    line = np.column_stack([one, logit])
    groups = equal_mass(p)
    observed, predicted = calibration_curve(truth, p, n_bins=7, strategy="uniform")
    (intercept, slope) = estimates(fitted(truth, line, patient), patient)
    (large,) = estimates(fitted(truth, one, patient, logit), patient)
    positives, negatives = truth.sum(), truth.size - truth.sum()
    smoothed = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    platt = fitted(smoothed, line).params
    peer = _SigmoidCalibration().fit(logit, truth)
    assert np.allclose([-peer.b_, -peer.a_], platt, atol=2e-4), (peer.a_, peer.b_, platt)
    plain = fitted(truth, line).params
    residual = lambda b: np.sum((special.expit(b * logit) - truth) * logit)
    inverse = optimize.brentq(residual, 1e-3, 50, xtol=1e-15, rtol=1e-15)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(p, truth)
    return {
        "name": name,
        "truth": truth.astype(int),
        "prediction": p,
        "patient": patient,
        "brier": brier_parts(truth, p, groups),
        "errors": calibration_errors(truth, p, patient, groups),
        "uniform": {"observed": observed, "predicted": predicted},
        "equal_mass": [{"count": g.size, "predicted": p[g].mean(), "observed": truth[g].mean(), "band": band(p[g])} for g in groups],
        "slope": slope,
        "intercept": intercept,
        "in_the_large": large,
        "temperature": 1 / inverse,
        "platt_smoothed": {"intercept": platt[0], "slope": platt[1]},
        "platt_observed": {"intercept": plain[0], "slope": plain[1]},
        "beta": beta(truth, p),
        "isotonic": isotonic.predict(GRID),
        "em": em_prior(p, float(np.round(p.mean() * 0.8, 3))),
    }


def hump(p, truth, rng):
    """Outcomes that follow ln p upwards and turn down near 1: the second parameter wants to be negative."""
    return rng.random(p.size) < np.where(p > 0.6, 0.45, 0.9 * p)


def dip(p, truth, rng):
    """Outcomes that rise again near 0: the first parameter wants to be negative."""
    return rng.random(p.size) < np.where(p < 0.1, 0.3, 0.2 + 0.8 * p * p)


emit(
    "calibration",
    {
        "grid": GRID,
        "cases": [
            case("right", *sample(1, 40, 5, 1.0, 0.0, 1.0)),
            case("overconfident", *sample(2, 60, 6, 0.5, 0.4, 1.6)),
            case("timid, tied", *sample(3, 50, 4, 1.9, -0.3, 0.8, round_to=37)),
            case("rare", *sample(4, 80, 5, 1.0, -1.3, 1.2)),
            case("hump", *sample(5, 60, 5, 1.0, 0.0, 1.5, classes=hump)),
            case("dip", *sample(6, 60, 5, 1.0, 0.0, 1.5, classes=dip)),
        ],
    },
    ["numpy", "scipy", "scikit-learn", "statsmodels", "betacal"],
)
