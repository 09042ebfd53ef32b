"""PyTorch's weighted losses of soft targets, value and gradient, into soft_loss.json.

usage: make_soft_loss.py [--check]      (--check compares with the file that is there)

The loss is the mean over samples, by weight, of the mean over known labels, by the challenge's weights, of
binary_cross_entropy_with_logits in double precision, or of the asymmetric loss (Ridnik et al. 2021) by autograd.
"""

import json
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).with_name("soft_loss.json")
LABEL_WEIGHTS = torch.tensor([1, 1, 1, 1, 1, 2], dtype=torch.float64) / 7


def asymmetric(logits, labels, gamma_positive, gamma_negative, margin):
    p = torch.sigmoid(logits)
    shifted = (p - margin).clamp(min=0)
    positive = (1 - p) ** gamma_positive * torch.log(p)
    negative = shifted**gamma_negative * torch.log(1 - shifted)
    return -(labels * positive + (1 - labels) * negative)


def loss(logits, labels, mask, weights, powers=None):
    of_labels = mask * LABEL_WEIGHTS
    if powers:
        losses = asymmetric(logits, labels, **powers)
    else:
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    known = of_labels.sum(dim=1)
    rows = (losses * of_labels).sum(dim=1) / known.clamp(min=1e-300)
    weights = weights * (known > 0)
    return (rows * weights).sum() / weights.sum()


def case(name, samples, unknown, weighted, generator, **powers):
    draw = lambda: torch.rand(samples, 6, generator=generator, dtype=torch.float64)
    # Logits are what single precision holds, as the engine's are.
    logits = (draw() * 12 - 6).float().double().requires_grad_()
    labels = (draw() * 256).round() / 256
    labels[:, 5] = labels.amax(dim=1)
    mask = (draw() >= unknown).double()
    weights = torch.ones(samples, dtype=torch.float64)
    if weighted:
        weights = (torch.rand(samples, generator=generator, dtype=torch.float64) * 16).round() / 8
    value = loss(logits, labels, mask, weights, powers)
    value.backward()
    made = {"name": name, "logits": logits.tolist(), "labels": labels.tolist(), "mask": mask.tolist()}
    if weighted:
        made["sample_weights"] = weights.tolist()
    return made | powers | {"value": value.item(), "gradient": logits.grad.tolist()}


def main():
    generator = torch.Generator().manual_seed(2018)
    cases = [
        case("all known", 5, 0.0, False, generator),
        case("some unknown", 8, 0.4, False, generator),
        case("most unknown, rows without any", 8, 0.9, False, generator),
        case("some unknown, weighted", 8, 0.3, True, generator),
        case("asymmetric", 8, 0.0, False, generator, gamma_positive=0.0, gamma_negative=4.0, margin=0.05),
        case("asymmetric, all of it", 8, 0.3, True, generator, gamma_positive=1.0, gamma_negative=2.5, margin=0.125),
    ]
    if "--check" in sys.argv:
        there = json.loads(HERE.read_text(encoding="utf-8"))["cases"]
        for one, other in zip(cases, there, strict=True):
            for key in ("value", "gradient"):
                ours, theirs = (torch.tensor(c[key], dtype=torch.float64) for c in (one, other))
                torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)
        return
    text = json.dumps({"made_by": f"make_soft_loss.py, PyTorch {torch.__version__.split('+')[0]}", "cases": cases}, indent=1)
    HERE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
