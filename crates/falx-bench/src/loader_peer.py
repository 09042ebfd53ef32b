"""The other side of `falx bench loader --peer torch`: the same files through PyTorch's DataLoader or MONAI's caching data sets.

Needs torch, monai, albumentations, pydicom, numpy and opencv-python-headless. Reads commands as JSON lines on standard
input, answers each with a JSON line. Both make N x 3 x size x size batches: HU, resized over areas, flipped, moved
(affine and elastic), noised, blurred, cut out, and windowed last, so that all of it is done on one channel and not three.

torch  pydicom, OpenCV and albumentations in a DataLoader with workers, from the files in every epoch
monai  HU at the network's size in a PersistentDataset, MONAI's transforms after it (affine and elastic in one pass)
monai in memory  the same in a CacheDataset, which holds all slices in memory and is filled before it is timed

The first batch of an epoch is not counted, so that neither is the start of the workers.
"""

import functools
import json
import multiprocessing
import os
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import albumentations
import cv2
import monai
import monai.transforms as mt
import numpy
import pydicom
import torch

# Answers alone go to the pipe; what a library prints must not.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
SETUP = {}
LOW, RANGE = -1024.0, 4096.0


def one_thread(_=0):
    """Workers are the threads here: more would only be in each other's way."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def picture(path):
    """HU at the network's size, scaled to 0 .. 1: what falx fits a square slice to."""
    dataset = pydicom.dcmread(path)
    hu = dataset.pixel_array.astype(numpy.float32)
    hu *= float(dataset.RescaleSlope)
    hu += float(dataset.RescaleIntercept)
    hu[hu <= -2000] = LOW
    rows, columns = hu.shape
    if rows != columns:
        down, across = (max(rows, columns) - rows) // 2, (max(rows, columns) - columns) // 2
        hu = cv2.copyMakeBorder(hu, down, down, across, across, cv2.BORDER_CONSTANT, value=LOW)
    hu = cv2.resize(hu, (SETUP["size"], SETUP["size"]), interpolation=cv2.INTER_AREA)
    hu -= LOW
    hu /= RANGE
    return hu


def windowed(image):
    """Three windows of a picture."""
    out = torch.empty((len(SETUP["windows"]), *image.shape[-2:]), dtype=torch.float32)
    for channel, (center, width) in zip(out, SETUP["windows"]):
        torch.mul(image, RANGE / width, out=channel)
        channel += (LOW - center) / width + 0.5
        channel.clamp_(0.0, 1.0)
    return out


def with_albumentations(size):
    return albumentations.Compose([
        albumentations.HorizontalFlip(p=0.5),
        albumentations.Affine(rotate=(-15, 15), scale=(1 / 1.1, 1.1), translate_percent=(-0.05, 0.05), shear=(-3, 3), p=1),
        # The approximation is twice as fast as the exact one.
        albumentations.ElasticTransform(alpha=0.1 * size, sigma=size / 12, approximate=True, p=1),
        albumentations.GaussNoise(std_range=(0.0, 5 / RANGE), p=1),
        albumentations.GaussianBlur(blur_limit=(3, 3), p=1),
        albumentations.CoarseDropout(num_holes_range=(1, 1), hole_height_range=(0.05, 0.1), hole_width_range=(0.05, 0.1), p=0.25),
    ])


def with_monai(size):
    return [
        mt.RandFlip(prob=0.5, spatial_axis=1),
        mt.Rand2DElastic(
            spacing=(size / 6, size / 6), magnitude_range=(0, 0.02 * size), prob=1, rotate_range=0.26, shear_range=0.05,
            translate_range=0.05 * size, scale_range=0.1, padding_mode="border",
        ),
        mt.RandGaussianNoise(prob=1, std=5 / RANGE),
        mt.RandGaussianSmooth(prob=1, sigma_x=(0.1, 0.7), sigma_y=(0.1, 0.7)),
        mt.RandCoarseDropout(holes=1, spatial_size=(size // 20, size // 20), max_spatial_size=(size // 10, size // 10), prob=0.25),
    ]


class Files(torch.utils.data.Dataset):
    def __init__(self, files, changes):
        self.files, self.changes = files, changes

    def __len__(self):
        return len(self.files)

    def __getitem__(self, at):
        image = picture(self.files[at])
        if self.changes is not None:
            image = self.changes(image=image[..., None])["image"][..., 0]
        return windowed(torch.from_numpy(numpy.ascontiguousarray(image)))


class Fit(mt.Transform):
    """Not random: what MONAI's data sets keep."""

    def __call__(self, path):
        return torch.from_numpy(picture(path))[None]


class Windows(mt.RandomizableTransform):
    """After what is random, so that it is not kept."""

    def __call__(self, image):
        return windowed(image[0])


def dataset(files, plain):
    if SETUP["kind"] == "torch":
        return Files(files, None if plain else with_albumentations(SETUP["size"]))
    changes = mt.Compose([Fit(), *([] if plain else with_monai(SETUP["size"])), Windows()])
    if SETUP["kind"] == "monai":
        return monai.data.PersistentDataset(files, changes, cache_dir=SETUP["folder"])
    return monai.data.CacheDataset(files, changes, num_workers=SETUP["workers"], progress=False)


@functools.cache
def kept(files):
    """The data set of these files, from epoch to epoch: what it holds in memory must not be filled in each."""
    return dataset(list(files), plain=False)


def loader(files, plain=False):
    kind = torch.utils.data.DataLoader if SETUP["kind"] == "torch" else monai.data.DataLoader
    workers = 0 if plain else SETUP["workers"]
    source = dataset(files, plain) if plain else kept(tuple(files))
    return kind(source, batch_size=SETUP["batch"], num_workers=workers, worker_init_fn=None if plain else one_thread)


def memory_mib():
    """Of this process and its workers; what they share counts once (proportional set size)."""
    kib = 0
    for pid in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024


def cpu_s():
    """Of this process and of those workers that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def epoch(files):
    made = loader(files)
    cpu = cpu_s()
    batches = iter(made)
    first = len(next(batches))
    start, images, mib = time.perf_counter(), 0, None
    middle = len(files) // 2
    for batch in batches:
        images += len(batch)
        if mib is None and images >= middle:
            paused = time.perf_counter()
            try:
                mib = memory_mib()
            except OSError:
                mib = 0
            start += time.perf_counter() - paused
    seconds = time.perf_counter() - start
    assert first + images == len(files)
    # Ends the workers, so that their time is known.
    del batches
    return {"images_per_s": images / seconds, "cpu_ms": 1e3 * (cpu_s() - cpu) / len(files), "mib": mib or None}


def difference(files, raw):
    """The mean over pixels of the first batch without augmentation; falx's stands in the file."""
    batch = next(iter(loader(files, plain=True))).numpy()
    meant = numpy.fromfile(raw, numpy.float32).reshape(batch.shape)
    return float(numpy.abs(batch - meant).mean())


def answer(request):
    if "setup" in request:
        SETUP.update(request["setup"])
        one_thread()
        monai.data.set_track_meta(False)
        packages = [torch, monai, albumentations, pydicom, numpy, cv2]
        versions = ", ".join(f"{package.__name__} {package.__version__}" for package in packages)
        return {"versions": f"Python {sys.version.split()[0]}, {versions}"}
    if "difference" in request:
        return {"mean": difference(request["files"], request["difference"])}
    return epoch(request["files"])


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=ANSWERS, flush=True)
