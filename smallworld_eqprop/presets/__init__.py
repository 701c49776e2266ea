"""The paper's networks by name, one TOML file each."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from smallworld_eqprop.errors import InputError, nearest

__all__ = ["preset_names", "read_preset"]


def preset_names() -> list[str]:
    """Give the names of all presets, sorted.

    Returns
    -------
    list of str
    """
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def read_preset(name: str) -> dict[str, Any]:
    """The tables of a preset, with its name added.

    Raises
    ------
    InputError
        If there is no preset of that name.
    """
    names = preset_names()
    if name not in names:
        raise InputError(f"unknown preset {name!r}; {nearest(name, names)}")
    text = (resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    return {"name": name, **tomllib.loads(text)}
