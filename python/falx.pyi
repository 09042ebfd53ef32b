"""Batches of head CT, made by falx on all cores, as NumPy arrays, and answers for studies."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt

__version__: str

LABELS: tuple[str, str, str, str, str, str]
"""The six labels in the order of every row: the five subtypes, then `any`."""

class FalxError(Exception):
    """What falx could not do, why, and what to do about it."""

class OptionError(FalxError, ValueError):
    """Options that cannot work, alone or with these data."""

class FileError(FalxError, OSError):
    """A file that cannot be read, or is not what it should be."""

class RunError(FalxError, RuntimeError):
    """A thread that could not start, or a bug in falx."""

class Unreadable(TypedDict):
    id: str
    path: os.PathLike[str]
    reason: str

class Skipped(TypedDict):
    count: int
    by_reason: dict[str, int]
    examples: list[os.PathLike[str]]

class State(TypedDict):
    epoch: int
    batch: int
    made_by: dict[str, str]

class Batch:
    """Some slices as a network sees them."""

    @property
    def images(self) -> npt.NDArray[np.float32]:
        """Pictures from 0 to 1, N x C x H x W. The array owns falx's buffer; nothing was copied."""
    @property
    def labels(self) -> npt.NDArray[np.float32]:
        """N x 6 in the order of `LABELS`: 0 or 1, or a mixture's shares; NaN where a label is not known."""
    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """How much each slice counts, N; 0 where no label is known."""
    @property
    def ids(self) -> list[str]:
        """The slices' image ids."""
    @property
    def number(self) -> int:
        """The batch's place in its epoch, from 0."""
    @property
    def unreadable(self) -> list[Unreadable]:
        """Slices of this batch that could not be read, with `unreadable="skip"`."""
    def __len__(self) -> int: ...

class Epoch:
    """The batches of one pass over a `Loader`, in order. Its threads end with it."""

    def __iter__(self) -> Epoch: ...
    def __next__(self) -> Batch: ...
    def close(self) -> None:
        """Ends the pass and its threads, each after its slice; a pass that nobody holds ends by itself."""

class Loader:
    """Batches of the slices of an index, made on several threads ahead of the consumer. README.md has every option."""

    def __init__(
        self,
        index: str | os.PathLike[str],
        *,
        split: str | os.PathLike[str] | None = None,
        fold: int | None = None,
        part: Literal["train", "validation", "test"] | None = None,
        batch_size: int = 32,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int = 0,
        epoch: int = 0,
        size: int = 256,
        windows: Sequence[tuple[float, float]] | None = None,
        planes_mm: Sequence[float] | None = None,
        mm_per_pixel: float | None = None,
        crop: Literal["none", "head"] = "none",
        augment: str | Sequence[str] | Mapping[str, bool | float | str | Sequence[str]] | None = None,
        positive_any_share: float | None = None,
        label_shares: Mapping[str, float] | None = None,
        balance_studies: bool = False,
        sample_weights: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        memory: str = "512MiB",
        keep_memory: str = "0MiB",
        cache: str | os.PathLike[str] | None = None,
        rank: int = 0,
        world: int = 1,
        unreadable: Literal["stop", "skip"] = "stop",
    ) -> None: ...
    def __len__(self) -> int:
        """Batches of an epoch."""
    def __iter__(self) -> Epoch:
        """Begins a pass: at the epoch's first batch, or after `load_state_dict` where that state stood."""
    def set_epoch(self, epoch: int) -> None:
        """Chooses the next epoch. Without it each pass that ends is followed by the next epoch."""
    def state_dict(self) -> State:
        """Where the loader stands, after the batch that was given last: plain values."""
    def load_state_dict(self, state: State | dict[str, Any]) -> None:
        """Goes on where a state stood; refused where the batches would be others."""
    @property
    def epoch(self) -> int:
        """The epoch in progress, or the next one."""
    @property
    def slices(self) -> int:
        """Slices of an epoch."""
    @property
    def prior(self) -> npt.NDArray[np.float64]:
        """How often each label is positive among the known ones as the network sees them."""
    @property
    def prevalence(self) -> npt.NDArray[np.float64]:
        """The same of the data themselves, before slices were repeated."""
    @property
    def waited(self) -> float:
        """Seconds that the newest pass has waited for batches."""
    @property
    def damaged(self) -> int:
        """Slices of the newest pass that were read from their files because the cache's copy is damaged."""
    @property
    def skipped(self) -> Skipped:
        """What the newest pass could not read, with `unreadable="skip"`."""

class Detector:
    """A trained model that answers for studies. It is loaded once and answers often; threads that share it take turns."""

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        series: Literal["best", "all"] | Sequence[str] | None = None,
        prevalence: float | None = None,
        flip: bool = False,
        threads: int | None = None,
        memory: str = "256MiB",
    ) -> None: ...
    def study(self, paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> dict[str, Any]:
        """What the model says of the studies in files, folders and archives, as `falx predict --format json` writes it."""
