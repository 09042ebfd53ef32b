"""The other side of `falx bench evaluate --peer numpy`: the same bootstrap by NumPy, as fast as NumPy alone makes it.

Needs numpy. Reads commands as JSON lines on standard input, answers each with a JSON line. What does not depend on the
draw is done once: scores are sorted, and losses are summed by patient. A draw then costs one look-up of the patients'
weights and one cumulative sum a label.
"""

import json
import pathlib
import resource
import sys
import time

import numpy

CLIP = 1e-15
LOSS_WEIGHTS = numpy.array([1, 1, 1, 1, 1, 2]) / 7


class Label:
    def __init__(self, truth, score, patient, patients):
        order = numpy.argsort(-score, kind="stable")
        ranked = score[order]
        self.patient = patient[order]
        self.truth = truth[order]
        self.positives = numpy.flatnonzero(self.truth)
        self.ends = numpy.flatnonzero(numpy.append(ranked[1:] != ranked[:-1], True))
        self.tied = len(self.ends) < len(score)
        p = numpy.clip(score, CLIP, 1 - CLIP)
        self.loss = -numpy.log(numpy.where(truth, p, 1 - p))
        self.log_loss = numpy.bincount(patient, self.loss, patients)
        self.brier = numpy.bincount(patient, (score - truth) ** 2, patients)
        self.cases = numpy.bincount(patient, minlength=patients)

    def scores(self, weights):
        """Log loss, Brier score, area under the ROC curve, average precision."""
        total = weights @ self.cases
        weight = weights.take(self.patient)
        all_above = numpy.cumsum(weight)
        if self.tied:
            positive_above = numpy.cumsum(weight * self.truth)[self.ends]
            all_above = all_above[self.ends]
            positive = numpy.diff(positive_above, prepend=0)
        else:
            positive = weight.take(self.positives)
            positive_above = numpy.cumsum(positive)
            all_above = all_above.take(self.positives)
        positives, negatives = positive_above[-1], total - positive_above[-1]
        if positives == 0 or negatives == 0:
            return weights @ self.log_loss / total, weights @ self.brier / total, None, None
        above = all_above - positive_above
        if self.tied:
            # A tie counts one half.
            above = above - numpy.diff(above, prepend=0) / 2
        area = 1 - (positive @ above) / positives / negatives
        precision = (positive * positive_above / numpy.maximum(all_above, 1)).sum() / positives
        return weights @ self.log_loss / total, weights @ self.brier / total, area, precision


def setup(folder, patients):
    folder = pathlib.Path(folder)
    truth = numpy.fromfile(folder / "truth.u8", numpy.uint8).reshape(6, -1).astype(bool)
    score = numpy.fromfile(folder / "score.f64", numpy.float64).reshape(6, -1)
    patient = numpy.fromfile(folder / "patient.u32", numpy.uint32).astype(numpy.intp)
    labels = [Label(t, s, patient, patients) for t, s in zip(truth, score)]
    row_loss = LOSS_WEIGHTS @ numpy.array([label.loss for label in labels])
    for label in labels:
        del label.loss
    return labels, numpy.bincount(patient, row_loss, patients), labels[0].cases


def everything(data, weights):
    labels, loss, cases = data
    return float(weights @ loss / (weights @ cases)), [label.scores(weights) for label in labels]


def bootstrap(data, draws, seed):
    patients = len(data[2])
    random = numpy.random.default_rng(seed)
    values = []
    for _ in range(draws):
        weights = numpy.bincount(random.integers(0, patients, patients), minlength=patients)
        weighted, rows = everything(data, weights)
        values.append([weighted, *(numpy.nan if x is None else x for row in rows for x in row)])
    return numpy.nanpercentile(numpy.array(values), [2.5, 97.5], axis=0)


data = None
for line in sys.stdin:
    command = json.loads(line)
    answer = {}
    if "setup" in command:
        start = time.perf_counter()
        data = setup(command["setup"], command["patients"])
        weighted, rows = everything(data, numpy.ones(command["patients"], numpy.intp))
        answer = {"s": time.perf_counter() - start, "weighted_log_loss": weighted, "labels": rows}
        answer["versions"] = f"Python {sys.version.split()[0]}, numpy {numpy.__version__}"
    elif "draws" in command:
        start = time.perf_counter()
        bootstrap(data, command["draws"], command["seed"])
        answer = {"s": time.perf_counter() - start}
    answer["peak_kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(answer), flush=True)
