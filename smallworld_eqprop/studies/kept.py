"""Trained networks that a study keeps, each in a file that is known by its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError

__all__ = ["keep", "kept", "kept_problems"]


def keep(network: Network, path: Path) -> str:
    """Write a network; the SHA-256 of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    network.save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept(path: Path, digest: str) -> Network:
    """Read a network that was kept.

    Raises
    ------
    InputError
        If the file has another SHA-256 than the one that was kept.
    OSError
        If it cannot be read.
    """
    _check(path, digest)
    return Network.load(path)


def kept_problems(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """One line for every file of a run that is missing or not the one that was kept.

    Parameters
    ----------
    folder : Path
    digests : mapping of str to str
        SHA-256 by key of the run.
    """
    problems = []
    for key, digest in digests.items():
        path = folder / f"{key}.npz"
        try:
            _check(path, digest)
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{path}: cannot be read ({error.strerror})")
    return problems


def _check(path: Path, digest: str) -> None:
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise InputError(
            f"{path}: is not the file that was kept; remove it and train the run again"
        )
