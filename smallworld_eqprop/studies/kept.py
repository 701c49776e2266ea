"""Trained networks that a study keeps, each in a file that is known by its SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError

__all__ = ["keep", "kept"]


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
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise InputError(
            f"{path}: is not the file that was kept; remove it and train the run again"
        )
    return Network.load(path)
