"""A small phantom with index, split and cache, made by the falx program that FALX names (else `falx` on the path)."""

import os
import pathlib
import subprocess
import tempfile

FALX = os.environ.get("FALX", "falx")


def falx(*words):
    subprocess.run([FALX, *map(str, words), "-q"], check=True, stdout=subprocess.DEVNULL)


class Study:
    """Twelve patients of 64 x 64 pixels, half of their slices positive."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self._folder.name)
        self.index, self.split = self.folder / "index.parquet", self.folder / "split.parquet"
        self.cache = self.folder / "cache"
        phantom = self.folder / "phantom"
        falx("phantom", "--patients", 12, "--matrix", 64, "--prevalence", 0.4, "--seed", 5, "--out", phantom)
        self.images = phantom / "stage_2_train"
        falx("index", self.images, "--labels", phantom / "stage_2_train.csv", "--out", self.index)
        falx("split", self.index, "--folds", 3, "--seed", 1, "--test-fraction", 0.2, "--out", self.split)
        falx("cache", self.index, "--out", self.cache)

    def close(self):
        self._folder.cleanup()
