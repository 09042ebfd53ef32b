"""Trains torchvision's ResNet-18 on batches that falx makes.

    falx phantom --patients 40 --out phantom
    falx index phantom/stage_2_train --labels phantom/stage_2_train.csv --out index.parquet
    falx split index.parquet --folds 4 --seed 1 --out split.parquet
    python train_resnet.py index.parquet split.parquet --epochs 2

Prints the loss of every few steps, and after each epoch the loss on the held-out fold beside that of always saying how
often each label occurs. A run that is stopped goes on with --resume where its last checkpoint stood, within an epoch too.
"""

import argparse
import pathlib

import falx
import torch
import torchvision

WEIGHTS = torch.tensor([1, 1, 1, 1, 1, 2]) / 7  # `any` counts double, as in the challenge of 2019


def weighted_log_loss(logits, labels, weights):
    """Unknown labels (NaN) and slices without any (weight 0) take no part."""
    known = ~labels.isnan()
    losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    of_labels = known * WEIGHTS.to(logits.device)
    rows = (losses * of_labels).sum(dim=1) / of_labels.sum(dim=1).clamp(min=1e-9)
    return (rows * weights).sum() / weights.sum().clamp(min=1e-9)


def tensors(batch, device):
    """The batch's arrays as tensors; on the CPU they are the same memory."""
    return [torch.from_numpy(array).to(device) for array in (batch.images, batch.labels, batch.weights)]


@torch.no_grad()
def validate(model, loader, device):
    model.eval()
    logits, labels, weights = [], [], []
    for batch in loader:
        images, some, weight = tensors(batch, device)
        logits.append(model(images))
        labels.append(some)
        weights.append(weight)
    logits, labels, weights = torch.cat(logits), torch.cat(labels), torch.cat(weights)
    model.train()
    return weighted_log_loss(logits, labels, weights).item(), labels, weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index")
    parser.add_argument("split")
    parser.add_argument("--fold", type=int, default=0, help="held out (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=None, help="threads that load (default: all cores)")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=pathlib.Path("resnet.pt"))
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()

    torch.manual_seed(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = dict(split=arguments.split, fold=arguments.fold, size=arguments.size, batch_size=arguments.batch_size,
                threads=arguments.threads)
    loader = falx.Loader(arguments.index, seed=1, augment="default", drop_last=True, **data)
    held_out = falx.Loader(arguments.index, part="validation", shuffle=False, **data)
    model = torchvision.models.resnet18(num_classes=len(falx.LABELS)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
    if arguments.resume:
        saved = torch.load(arguments.checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        loader.load_state_dict(saved["loader"])

    def save():
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "loader": loader.state_dict()}
        torch.save(state, arguments.checkpoint)

    losses = []
    while loader.epoch < arguments.epochs:
        epoch = loader.epoch
        for batch in loader:
            images, labels, weights = tensors(batch, device)
            loss = weighted_log_loss(model(images), labels, weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if batch.number % 10 == 9:
                recent = sum(losses[-10:]) / len(losses[-10:])
                print(f"epoch {epoch + 1}, batch {batch.number + 1} of {len(loader)}: loss {recent:.3f}", flush=True)
                save()
        waited = loader.waited
        loss, labels, weights = validate(model, held_out, device)
        prevalence = torch.from_numpy(loader.prevalence).float().to(device).clamp(1e-6, 1 - 1e-6)
        baseline = weighted_log_loss(prevalence.logit().expand_as(labels), labels, weights).item()
        print(f"epoch {epoch + 1}: held out {loss:.3f}, the prevalences alone {baseline:.3f}; waited {waited:.2f} s for batches")
        save()
    if len(losses) >= 20:
        first, last = sum(losses[:10]) / 10, sum(losses[-10:]) / 10
        print(f"training loss {first:.3f} in the first ten steps, {last:.3f} in the last ten")
        if last >= first:
            raise SystemExit("the loss did not fall")


if __name__ == "__main__":
    main()
