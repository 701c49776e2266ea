"""Data in files of the user: what every kind of file has in common."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from smallworld_eqprop.data.base import Data
from smallworld_eqprop.data.dataset import Dataset
from smallworld_eqprop.data.split import Examples, Labels, arrays, check_values
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.files import read_file
from smallworld_eqprop.parts import Positive, SeedNumber
from smallworld_eqprop.specs import write_fields

__all__ = ["FileData"]

Scaling = Literal["min-max", "none"]


@dataclass(frozen=True)
class FileData(Data):
    """Examples in a file of the user; a kind says how to read it.

    Of what is in the file counts the content: a run on a copy elsewhere has the same key. The
    content is hashed once for every spec, and a file that changes after that is refused.

    Attributes
    ----------
    path : str
        Relative to the working directory.
    task : {"classification", "regression"}, optional
        May be left out if the target is text, true or false, or at most 20 different whole numbers;
        it is then a classification.
    scaling : {"min-max", "none"}
        Bring every feature, and the targets of a regression, to [0, 1] by minimum and maximum of
        the training rows; test features outside are clipped. A constant feature becomes 0.
    test_share : float
        Share of the rows used for testing, the same for every class; 0 for none.
    split_seed : int
        Seed of the shuffle before the split.
    n_train : int, optional
        Use the first n training rows; all when left out.
    """

    path: str
    _: KW_ONLY
    task: Literal["classification", "regression"] | None = None
    scaling: Scaling = "min-max"
    test_share: float = 0.2
    split_seed: SeedNumber = 0
    n_train: Positive | None = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.generic):
                object.__setattr__(self, field.name, value.item())
            elif isinstance(value, os.PathLike):
                object.__setattr__(self, field.name, os.fspath(value))
        if not isinstance(self.path, str) or not self.path:
            raise InputError(f"data.path: {self.path!r}, must be the name of a file")
        if self.task not in (None, "classification", "regression"):
            allowed = ("classification", "regression")
            raise InputError(f"data.task: {self.task!r}; {nearest(self.task, allowed)}")
        if self.scaling not in get_args(Scaling):
            raise InputError(f"data.scaling: {self.scaling!r}; allowed: min-max, none")
        share = self.test_share
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise InputError(f"data.test_share: {share!r}, must be a number from 0 to below 1")
        object.__setattr__(self, "test_share", float(share))

    def identity(self) -> dict[str, Any]:
        """What decides the outcome: SHA-256 of the files, and the fields that say how to read them.

        Raises
        ------
        InputError
            If a file cannot be read.
        """
        paths = self._paths()
        but = [*paths, "task", *(["test_share", "split_seed"] if "test_path" in paths else [])]
        table = write_fields(self, but=but)
        if self.task == "regression":
            table["task"] = "regression"
        return table | {
            name.replace("path", "sha256"): digest for name, digest in self._digests.items()
        }

    def load(self) -> Dataset:
        """Read, split and scale.

        Raises
        ------
        InputError
            If a file cannot be read, has changed, or holds what cannot be learned; it names the
            file, the place or the key, and what is allowed.
        """
        paths, contents = self._paths(), self._contents()
        digests = {name: _digest(content) for name, content in contents.items()}
        # Remembered by the cached property, so that the key of a run is that of what was read.
        known = self.__dict__.setdefault("_digests", digests)
        for name, path in paths.items():
            if digests[name] != known[name]:
                raise InputError(
                    f"{path}: data.{name}: the file has changed since it was first read (SHA-256 "
                    f"was {known[name][:16]}..., is {digests[name][:16]}...); start anew with a "
                    "new configuration"
                )
        examples, test = self._read(contents)
        for each in (examples, test):
            if each is not None:
                check_values(each, self.scaling)
        target = examples.target
        found, columns = arrays(
            examples,
            test,
            scaling=self.scaling,
            test_share=self.test_share,
            split_seed=self.split_seed,
            n_train=self.n_train,
        )
        return Dataset(
            name=Path(self.path).name,
            task="classification" if isinstance(target, Labels) else "regression",
            **found,
            # A test file may have the same name, in another folder.
            sha256={
                ("test/" if name == "test_path" else "") + Path(path).name: digests[name]
                for name, path in paths.items()
            },
            classes=target.names if isinstance(target, Labels) else (),
            columns=columns,
        )

    def _paths(self) -> dict[str, str]:
        """The files, by the fields that name them."""
        return {"path": self.path}

    def _read(self, contents: dict[str, bytes]) -> tuple[Examples, Examples | None]:
        """Examples for training or to be split, and those for testing if they are apart."""
        raise NotImplementedError

    def _contents(self) -> dict[str, bytes]:
        found = {}
        for name, path in self._paths().items():
            try:
                found[name] = read_file(Path(path).expanduser())
            except OSError as error:
                raise InputError(
                    f"{path}: data.{name}: cannot be read ({error.strerror or error}); give a file "
                    f"by its path from {Path.cwd()}"
                ) from None
        return found

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {name: _digest(content) for name, content in self._contents().items()}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
