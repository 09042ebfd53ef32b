"""Writes operating.json: what a confusion matrix says (scikit-learn), decision curves (dcurves), and queues.

Waiting times of M/M/c and of priority queues come from solving their Markov chains numerically, so that falx's closed
forms stand beside something that is not the same formula.
"""

import numpy as np
from scipy import stats
from sklearn import metrics

from golden import emit


def confusions():
    rng = np.random.default_rng(10)
    out = []
    for n, share, level in [(40, 0.5, 0.5), (200, 0.1, 0.3), (500, 0.03, 0.7), (60, 0.9, 0.6)]:
        truth = rng.random(n) < share
        truth[:2] = [True, False]
        score = np.round(0.3 * truth + 0.7 * rng.random(n), 2)
        score[:2] = [0.0, 1.0]
        called = score >= level
        tn, fp, fn, tp = metrics.confusion_matrix(truth, called).ravel()
        plus, minus = metrics.class_likelihood_ratios(truth, called)
        proportion = stats.binomtest(int(tp), int(tp + fn)).proportion_ci(method="wilson")
        out.append({
            "truth": truth.astype(int),
            "score": score,
            "threshold": level,
            "counts": [tp, fp, tn, fn],
            "sensitivity": metrics.recall_score(truth, called),
            "specificity": metrics.recall_score(~truth, ~called),
            "positive_predictive_value": metrics.precision_score(truth, called),
            "negative_predictive_value": metrics.precision_score(~truth, ~called),
            "f1": metrics.f1_score(truth, called),
            "accuracy": metrics.accuracy_score(truth, called),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, called),
            "youden": metrics.balanced_accuracy_score(truth, called, adjusted=True),
            "positive_likelihood_ratio": plus,
            "negative_likelihood_ratio": minus,
            "diagnostic_odds_ratio": plus / minus,
            "alarm_rate": called.mean(),
            "matthews": metrics.matthews_corrcoef(truth, called),
            "wilson_sensitivity": [proportion.low, proportion.high],
        })
    return out


def thresholds():
    """Thresholds by scikit-learn's ROC curve (every distinct score is a candidate)."""
    rng = np.random.default_rng(11)
    truth = rng.random(300) < 0.2
    score = np.round(1 / (1 + np.exp(-(2.0 * truth - 1.5 + rng.standard_normal(300)))), 3)
    fpr, tpr, cuts = metrics.roc_curve(truth, score, drop_intermediate=False)
    called = [(score >= cut).mean() for cut in cuts]
    cost = 20 * (1 - tpr) * truth.mean() + fpr * (1 - truth.mean())
    elsewhere = 20 * (1 - tpr) * 0.02 + fpr * 0.98

    def lowest(fits):
        return cuts[np.flatnonzero(fits)[-1]]

    return {
        "truth": truth.astype(int),
        "score": score,
        "sensitivity_90": cuts[np.flatnonzero(tpr >= 0.9)[0]],
        "sensitivity_95": cuts[np.flatnonzero(tpr >= 0.95)[0]],
        "specificity_90": lowest(1 - fpr >= 0.9),
        "youden": lowest(np.isclose(tpr - fpr, np.max(tpr - fpr), rtol=0, atol=1e-12)),
        "cost_20": lowest(np.isclose(cost, cost.min(), rtol=0, atol=1e-12)),
        "cost_20_at_2_percent": lowest(np.isclose(elsewhere, elsewhere.min(), rtol=0, atol=1e-12)),
        "alarms_10": lowest(np.array(called) <= 0.1),
    }


def decision_curves():
    import dcurves
    import pandas as pd

    rng = np.random.default_rng(12)
    n = 250
    truth = rng.random(n) < 0.15
    # No score lies on a threshold's last bit.
    score = np.round(1 / (1 + np.exp(-(2.5 * truth - 2.0 + rng.standard_normal(n)))), 4) + 0.00003
    cuts = [percent / 100 for percent in range(1, 100)]
    frame = pd.DataFrame({"truth": truth.astype(int), "model": score})
    out = {"truth": truth.astype(int), "score": score, "curves": []}
    for prevalence in [None, 0.05]:
        curve = dcurves.dca(
            data=frame, outcome="truth", modelnames=["model"], thresholds=cuts, prevalence=prevalence
        )
        of = {name: group.sort_values("threshold") for name, group in curve.groupby("model")}
        model, everyone = of["model"]["net_benefit"].to_numpy(), of["all"]["net_benefit"].to_numpy()
        odds = np.array(cuts) / (1 - np.array(cuts))
        out["curves"].append({
            "prevalence": prevalence,
            "model": model,
            "all": everyone,
            "spared_per_100": 100 * (model - everyone) / odds,
        })
    return out


def erlang_c(servers, load):
    """The chance to wait and the mean wait by the stationary distribution of the M/M/c chain (service rate 1)."""
    size = 4000
    weights = np.zeros(size)
    for n in range(1, size):
        weights[n] = weights[n - 1] + np.log(load) - np.log(min(n, servers))
    chance = np.exp(weights - weights.max())
    chance /= chance.sum()
    number = np.arange(size)
    queue = (np.maximum(number - servers, 0) * chance).sum()
    return {"wait": chance[servers:].sum(), "mean_wait": queue / load}


def priority(rates, servers, preemptive=False, size=140):
    """Mean waits (turnaround when preemptive) of two classes by the stationary distribution of their Markov chain.

    State: (waiting of class 1, waiting of class 2, in service of class 1, in service of class 2), service rate 1.
    """
    from scipy.sparse import lil_matrix
    from scipy.sparse.linalg import spsolve

    one, two = rates
    states, index = [], {}

    def state(s):
        if s not in index:
            index[s] = len(states)
            states.append(s)
        return index[s]

    moves = []
    state((0, 0, 0, 0))
    done = 0
    while done < len(states):
        q1, q2, s1, s2 = states[done]
        here = done
        done += 1

        def go(rate, to):
            if rate > 0 and to[0] <= size // 3 and to[1] <= size:
                moves.append((here, state(to), rate))

        busy = s1 + s2
        if busy < servers:
            go(one, (q1, q2, s1 + 1, s2))
            go(two, (q1, q2, s1, s2 + 1))
        else:
            if preemptive and s2 > 0:
                go(one, (q1, q2 + 1, s1 + 1, s2 - 1))
            else:
                go(one, (q1 + 1, q2, s1, s2))
            go(two, (q1, q2 + 1, s1, s2))

        def after(s1, s2):
            if q1 > 0:
                return (q1 - 1, q2, s1 + 1, s2)
            if q2 > 0:
                return (q1, q2 - 1, s1, s2 + 1)
            return (q1, q2, s1, s2)

        if s1:
            go(s1, after(s1 - 1, s2))
        if s2:
            go(s2, after(s1, s2 - 1))
    n = len(states)
    matrix = lil_matrix((n, n))
    for here, there, rate in moves:
        matrix[there, here] += rate
        matrix[here, here] -= rate
    matrix[0, :] = 1.0
    right = np.zeros(n)
    right[0] = 1.0
    chance = spsolve(matrix.tocsc(), right)
    array = np.array(states)
    waiting = [(array[:, k] * chance).sum() / rates[k] for k in (0, 1)]
    within = [((array[:, k] + array[:, k + 2]) * chance).sum() / rates[k] for k in (0, 1)]
    return within if preemptive else waiting


def queues():
    return {
        "unit": "mean service times",
        "erlang_c": [
            {"servers": c, "load": load, **erlang_c(c, load)}
            for c, load in [(1, 0.8), (2, 1.5), (3, 2.7), (8, 6.0)]
        ],
        "priority": [
            {"servers": c, "rates": rates, "wait": priority(rates, c)}
            for c, rates in [(1, (0.2, 0.4)), (2, (0.4, 0.8)), (3, (0.3, 1.5))]
        ],
        "preemptive": [
            {"servers": c, "rates": rates, "turnaround": priority(rates, c, preemptive=True)}
            for c, rates in [(1, (0.2, 0.4)), (2, (0.4, 0.8))]
        ],
    }


emit(
    "operating",
    {
        "confusions": confusions(),
        "thresholds": thresholds(),
        "decision": decision_curves(),
        "queues": queues(),
    },
    packages=("numpy", "scipy", "scikit-learn", "dcurves"),
)
