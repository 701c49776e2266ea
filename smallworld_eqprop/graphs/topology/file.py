"""A topology from a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arguments import Symmetrise, check_symmetrise
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.parts import Label

__all__ = ["File"]


@dataclass(frozen=True)
class File(Topology):
    """A graph from a file, of this package or of another program; see `read_graph`.

    Attributes
    ----------
    path : str
        Ends in ``.npz``, ``.graphml``, ``.gml``, ``.net``, ``.csv``, ``.tsv`` or ``.edgelist``.
    inputs, outputs : str, int, or tuple of str or int, optional
        Input and output nodes, by name or by an attribute (``"role=sensory"``). They may be left
        out if the file has layers.
    roles : str, optional
        A table of nodes in CSV: the first column has the names, every other column is an attribute.
    symmetrise : str
        The rule by which two directions become one edge: ``max`` takes the larger absolute weight,
        ``mean`` the mean weight (0 for a missing direction), ``or`` no weight.
    sha256 : str, optional
        Required SHA-256 of the file; a file with other content is refused.

    Raises
    ------
    InputError
        If the path is empty, only one of inputs and outputs is given, or there is no such rule.
    """

    path: str
    inputs: str | Label | tuple[str | Label, ...] | None = None
    outputs: str | Label | tuple[str | Label, ...] | None = None
    roles: str | None = None
    symmetrise: Symmetrise = "max"
    sha256: str | None = None

    def __post_init__(self) -> None:
        if not self.path:
            raise InputError("path: '', must name a file")
        if (self.inputs is None) != (self.outputs is None):
            missing = "inputs" if self.inputs is None else "outputs"
            raise InputError(f"{self.path}: {missing}: none; give both inputs and outputs or none")
        check_symmetrise(self.symmetrise)

    def build(self, seed: int) -> LayeredGraph:  # noqa: ARG002
        """The graph of the file, whatever the seed."""
        from smallworld_eqprop.graphs.convert.files import read_graph

        if self.sha256 is not None and (found := _hash(self.path)) != self.sha256:
            raise InputError(
                f"{self.path}: has changed: its SHA-256 is {found}, must be {self.sha256}; bring "
                "the file back, or leave out sha256 for a run of its own"
            )
        return read_graph(
            self.path, self.inputs, self.outputs, roles=self.roles, symmetrise=self.symmetrise
        )

    def identity(self) -> dict[str, Any]:
        """What decides the outcome, for the keys of runs: of files their content, not their path.

        Raises
        ------
        InputError
            If a file cannot be read.
        """
        found: dict[str, Any] = {"sha256": _hash(self.path)}
        if self.roles is not None:
            found["roles_sha256"] = _hash(self.roles)
        for name in ("inputs", "outputs"):
            if (chosen := getattr(self, name)) is not None:
                found[name] = list(chosen) if isinstance(chosen, tuple) else chosen
        if self.symmetrise != File.symmetrise:
            found["symmetrise"] = self.symmetrise
        return found


def _hash(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a file to read") from None
