"""A study: the runs of one or more grids, named in a TOML file or in Python."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.files import read_toml
from smallworld_eqprop.parts import Repeats, as_type
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.flat import dotted
from smallworld_eqprop.studies.measures import measure_named

__all__ = ["Study", "grid", "run_key", "varying"]

SETTINGS = ("epochs", "metrics", "weights")


@dataclass(frozen=True, repr=False)
class Study:
    """A set of runs, each of them once.

    Attributes
    ----------
    name : str
        Up to 200 letters, digits, dots, dashes and underscores: it names files.
    runs : sequence of RunConfig
        Runs that differ in nothing that decides their outcome are one run.
    epochs : int
        Of every run.
    metrics : sequence of str
        Measures of every run, by name, or as ``"module:function"``: ``structure`` is all of
        `structure_metrics`; ``sigma`` is `small_world_sigma`, against null samples that take
        seconds; ``small_world`` is all `small_world_coefficients`, which take longer than all
        else; ``betweenness``, ``communities`` and ``cores`` are `betweenness_metrics`,
        `community_metrics` and `core_metrics`; ``couplings`` and ``coupling_signal`` are of the
        weights, and ``attractors`` counts where fifty examples may end. See `measure` for your own.
    weights : bool
        Keep the trained weights of every run next to the store, so that measures of networks can be
        computed later without training again.

    Raises
    ------
    InputError
        If there is no run, or a value is not usable.

    Examples
    --------
    >>> base = RunConfig.preset("layered-5x100")
    >>> study = Study("mine", grid(base, p=[0, 0.01, 0.1], seed=range(4)), epochs=2)
    >>> len(study.runs)
    12
    """

    name: str
    runs: tuple[RunConfig, ...]
    epochs: int = 1
    metrics: tuple[str, ...] = ("structure",)
    weights: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(r"[\w-][\w.-]{0,199}", self.name):
            raise InputError(
                f"name: {self.name!r}; use up to 200 letters, digits, dots, dashes and underscores"
            )
        object.__setattr__(self, "epochs", as_type("epochs", self.epochs, Repeats))
        if not isinstance(self.metrics, list | tuple):
            raise InputError(f"metrics: {self.metrics!r}, must be a list of names")
        for name in self.metrics:
            measure_named(name)
        if not isinstance(self.weights, bool):
            raise InputError(f"weights: {self.weights!r}, must be true or false")
        distinct: dict[str, RunConfig] = {}
        for run in self.runs:
            distinct.setdefault(run.key, run)
        if not distinct:
            raise InputError(f"study {self.name!r} has no runs; give a base or a grid")
        object.__setattr__(self, "runs", tuple(distinct.values()))
        # The coefficients have sigma among them.
        once = set(self.metrics) - ({"sigma"} if "small_world" in self.metrics else set())
        object.__setattr__(self, "metrics", tuple(sorted(once)))

    @cached_property  # a sweep asks every half second, and files of data and graphs are hashed
    def keys(self) -> tuple[str, ...]:
        """What identifies every run in a store, see `run_key`."""
        return tuple(run_key(run, self.epochs) for run in self.runs)

    @property
    def varying(self) -> tuple[str, ...]:
        """Keys of the configuration in which the runs differ."""
        return varying(self.runs)

    def without(self, keys: Collection[str]) -> Study:
        """The same study without some of its runs, as those that another machine has done.

        Parameters
        ----------
        keys : collection of str
            Of runs; as in the column ``key`` of an exported table. Others are ignored.

        Raises
        ------
        InputError
            If no run is left.
        """
        left = [run for key, run in zip(self.keys, self.runs, strict=True) if key not in keys]
        return replace(self, runs=tuple(left))

    def __repr__(self) -> str:
        differ = f"; {', '.join(self.varying)} vary" if self.varying else ""
        return f"Study({self.name}: runs {len(self.runs)}, epochs {self.epochs}{differ})"

    @classmethod
    def from_toml(cls, path: str | Path) -> Study:
        """From a TOML file; without a name in it, the file's.

        Raises
        ------
        InputError
            If the file cannot be read, or a key or value is not usable.
        """
        path = Path(path)
        values = read_toml(path)
        try:
            return cls.from_dict({"name": path.stem, **values})
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Study:
        """From the tables of a study file.

        ``base`` holds run keys, short ones as `RunConfig.changed` takes them or in tables as in a
        run file, and ``preset`` to begin with; ``grid`` holds a list of values of every key that
        varies, all combinations of which are run. Every table of ``grids`` adds the runs of
        another ``base`` and ``grid``. The base of a table replaces what it repeats of the common
        one, and a grid replaces what it repeats of both, fields inside of tables as well.

        Raises
        ------
        InputError
            If a key is unknown or a value is not usable.
        """
        allowed = ("name", "epochs", "metrics", "weights", "base", "grid", "grids")
        _refuse_unknown(values, allowed)
        blocks = values.get("grids", [])
        if not isinstance(blocks, list):
            raise InputError("grids: write every one of them under [[grids]]")
        base = _table(values, "base")
        runs: list[RunConfig] = []
        if "grid" in values or not blocks:
            runs += _runs(base, _table(values, "grid"))
        for number, block in enumerate(blocks, start=1):
            try:
                _refuse_unknown(block, ("base", "grid"))
                runs += _runs(_over(base, _table(block, "base")), _table(block, "grid"))
            except InputError as error:
                raise InputError(f"grids {number}: {error}") from None
        settings = {key: values[key] for key in SETTINGS if key in values}
        return cls(values.get("name", "study"), tuple(runs), **settings)


def grid(base: RunConfig, **axes: Iterable[Any]) -> tuple[RunConfig, ...]:
    """All combinations of the values of some keys, the last one varying fastest.

    Parameters
    ----------
    base : RunConfig
        What all runs have in common.
    **axes : iterable
        Values by key, any key of a run.

    Returns
    -------
    tuple of RunConfig

    Raises
    ------
    InputError
        If a key is unknown, has no values, or a value is not usable.
    """
    return tuple(base.changed(**point) for point in _points(axes))


def varying(runs: Iterable[RunConfig]) -> tuple[str, ...]:
    """Keys in which runs differ that have them, other than name and summary."""
    values: dict[str, list[Any]] = {}
    for run in runs:
        for key, value in run.flat().items():
            values.setdefault(key, []).append(value)
    return tuple(
        key
        for key, found in values.items()
        if key not in ("name", "summary") and any(value != found[0] for value in found)
    )


def run_key(config: RunConfig, epochs: int) -> str:
    """What identifies a run in a store: the hash of its configuration, and its epochs."""
    return f"{config.key}-{epochs}"


def _runs(base: Mapping[str, Any], axes: Mapping[str, Any]) -> list[RunConfig]:
    for key, values in axes.items():
        if not isinstance(values, list):
            raise InputError(f"grid: {key} is {values!r}, must be a list of values")
    runs = []
    for point in _points(axes):
        changes = _over(base, point)
        preset = changes.pop("preset", None)
        runs.append(
            (RunConfig() if preset is None else RunConfig.preset(preset)).changed(**changes)
        )
    return runs


def _over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """All keys, those of the changes last: of a field and its table the later one counts."""
    return {key: value for key, value in base.items() if key not in changes} | dict(changes)


def _points(axes: Mapping[str, Iterable[Any]]) -> Iterable[dict[str, Any]]:
    # numpy's numbers come from arange and linspace; a configuration knows Python's.
    lists = {
        key: [value.item() if isinstance(value, np.generic) else value for value in values]
        for key, values in axes.items()
    }
    for key, values in lists.items():
        if not values:
            raise InputError(f"grid: {key} has no values; give some or leave it out")
    return (dict(zip(lists, point, strict=True)) for point in itertools.product(*lists.values()))


def _table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{key}: {table!r}, must be a table")
    return dotted(table)


def _refuse_unknown(values: Any, allowed: tuple[str, ...]) -> None:
    if not isinstance(values, Mapping):
        raise InputError(f"{values!r}, must be a table")
    for key in values:
        if key not in allowed:
            raise InputError(f"unknown key {key!r}; {nearest(key, allowed)}")
