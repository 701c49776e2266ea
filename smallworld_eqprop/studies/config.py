"""What one run is: topology, data and training, resolved and checked before anything starts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from smallworld_eqprop.data import DATASETS, TASKS
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.files import read_toml
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.presets import read_preset
from smallworld_eqprop.studies.topology import DEFAULTS, FAMILIES, TopologyConfig, foreign_keys

__all__ = ["RunConfig", "TopologyConfig"]

T = TypeVar("T")


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the outcome of a run.

    Attributes
    ----------
    name : str
        Of the preset it came from, or any other; does not influence the run.
    summary : str
        One line for people.
    dataset : str
        A name that `smallworld_eqprop.load` knows.
    n_train : int, optional
        Use the first n training examples; all when left out.
    topology : TopologyConfig
    training : TrainingConfig
        Its seed also seeds the rewiring, in a stream of its own.
    """

    name: str = "run"
    summary: str = ""
    dataset: str = "mnist"
    n_train: int | None = None
    topology: TopologyConfig = field(default_factory=TopologyConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InputError(f"unknown dataset {self.dataset!r}; {nearest(self.dataset, DATASETS)}")
        self.training.check_layers(len(self.topology.layer_sizes))

    @classmethod
    def preset(cls, name: str, **changes: Any) -> RunConfig:
        """The preset of that name, with changes by key, e.g. ``preset("layered-5x100", seed=1)``.

        Raises
        ------
        InputError
            If the preset or a key is unknown, or a value is not usable.
        """
        return cls.from_dict(read_preset(name)).changed(**changes)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """From nested tables as in a preset file; unknown keys are errors."""
        return _from_table(cls, values, "")

    @classmethod
    def from_toml(cls, path: str | Path) -> RunConfig:
        """From a TOML file with the tables of a preset; its name is the file's.

        Raises
        ------
        InputError
            If the file cannot be read, or a key or value is not usable.
        """
        path = Path(path)
        return cls.from_dict({"name": path.stem, **read_toml(path)})

    def to_dict(self) -> dict[str, Any]:
        """As nested tables that `from_dict` and JSON understand."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def flat(self) -> dict[str, Any]:
        """Every key and its value, out of their tables, as `changed` names them."""
        tables = self.to_dict()
        topology, training = tables.pop("topology"), tables.pop("training")
        return tables | topology | training

    def changed(self, **changes: Any) -> RunConfig:
        """A copy with some keys changed, wherever in the tables they live."""
        tables = self.to_dict()
        places = {key: tables[part] for part in ("topology", "training") for key in tables[part]}
        places |= {key: tables for key in tables if key not in ("topology", "training")}
        for key, value in changes.items():
            if key not in places:
                raise InputError(f"unknown key {key!r}; {nearest(key, sorted(places))}")
            if places[key][key] != value and key not in ("name", "seed", "device"):
                tables["summary"] = ""  # it told what was there before
            places[key][key] = value
        tables["summary"] = changes.get("summary", tables["summary"])
        if tables["dataset"] != self.dataset and "n_train" not in changes:
            tables["n_train"] = None  # it counted examples of the other dataset
        family = tables["topology"]["family"]
        if family != self.topology.family and family in list(FAMILIES):
            # What was said to the old family is no concern of the new one.
            tables["topology"] |= {
                key: DEFAULTS[key] for key in foreign_keys(family) if key not in changes
            }
        # p and moves say the same thing in two ways: the one asked for takes the other's place.
        if changes.get("p") is not None and changes.get("moves") is not None:
            raise InputError(f"p: {changes['p']} and moves: {changes['moves']}; give one of them")
        if changes.get("p") is not None:
            tables["topology"]["moves"] = None
        if changes.get("moves") is not None:
            tables["topology"] |= {"p": 0.0, "law": changes.get("law", "moves")}
        return self.from_dict(tables)

    @property
    def regression(self) -> bool:
        """Whether outcomes are mean costs, not shares of wrong examples."""
        return TASKS[self.dataset] == "regression"

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome: equal keys mean equal runs.

        The device is left out: a run may be gone on with on another.
        """
        values = self.to_dict()
        del values["name"], values["summary"], values["training"]["device"]
        # Left out where they say nothing: runs older than these keys keep their hash.
        for key in ("family", "places", "across_layers", "neighbours"):
            if values["topology"][key] == getattr(TopologyConfig, key):
                del values["topology"][key]
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _from_table(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """A dataclass from a table, every key and type checked."""
    hints = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            raise InputError(f"unknown key {where + key!r}; {nearest(key, hints)}")
        arguments[key] = _checked(hints[key], value, where + key)
    return kind(**arguments)


def _checked(hint: Any, value: Any, name: str) -> Any:
    """`value` as the annotated type says, or an error that names both."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise InputError(f"{name}: {value!r}, must be a table")
        return _from_table(hint, value, f"{name}.")
    for option in get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,):
        origin, inner = get_origin(option), get_args(option)
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(_checked(inner[0], item, f"{name}[{i}]") for i, item in enumerate(value))
        if origin is Literal and value in inner:
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(option, type) and type(value) is option:
            return value
    allowed = ", ".join(map(repr, get_args(hint))) if get_origin(hint) is Literal else None
    expected = allowed or getattr(hint, "__name__", None) or str(hint)
    raise InputError(f"{name}: {value!r}, must be {expected.replace('NoneType', 'nothing')}")
