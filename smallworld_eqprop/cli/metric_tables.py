"""The tables of ``smallworld-eqprop metrics``, for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from scipy import sparse

    from smallworld_eqprop.graphs.core.graph import LayeredGraph
    from smallworld_eqprop.graphs.measure.coefficients import Coefficient

__all__ = ["show"]


def show(
    console: Console,
    graph: LayeredGraph | sparse.csr_array,
    steps: tuple[dict[str, Any], ...],
    structure: dict[str, float],
    ensemble: dict[str, Any],
    coefficients: dict[str, Coefficient],
) -> None:
    """Print everything as tables."""
    n_layers = getattr(graph, "n_layers", 0)
    if n_layers:
        console.print(repr(graph), markup=False)
    else:
        left_out = "".join(f", {key} {value}" for key, value in steps[-1].items() if value and key
                           not in ("step", "file"))  # fmt: skip
        console.print(f"a graph without layers (no --inputs and --outputs){left_out}", markup=False)
    densities = {key: value for key, value in structure.items() if key.startswith("density_")}
    values = grid("", "")
    for key, value in structure.items():
        if key not in densities:
            values.add_row(key, number(value))
    console.print("", values)
    layers = range(n_layers)
    blocks = grid("density of layers", *map(str, layers))
    for a in layers:
        cells = [number(densities[f"density_{min(a, b)}_{max(a, b)}"], 3) for b in layers]
        blocks.add_row(str(a), *cells)
    if n_layers:
        console.print("", blocks)
    if coefficients:
        rows = grid("coefficient", "value", "null mean", "null std", "z-score", "mixed")
        for key, found in coefficients.items():
            spread = (found.value, found.null_mean, found.null_std, found.z_score)
            rows.add_row(key, *map(number, spread), "yes" if found.mixed else "no")
        console.print("", rows)
        held = ", connected" if all(found.connected for found in coefficients.values()) else ""
        weights = ", propensity with weights" if coefficients["propensity"].weighted else ""
        console.print(
            f"{ensemble['n_null']} null samples: {ensemble['null']}; "
            f"clustering: {ensemble['clustering']}{held}{weights}",
            markup=False,
        )
        reasons: dict[str, list[str]] = {}
        for key, found in coefficients.items():
            if found.reason:
                reasons.setdefault(found.reason, []).append(key)
            if not found.settled:
                reasons.setdefault("the lattice did not settle", []).append(key)
        for reason, names in reasons.items():
            console.print(f"{', '.join(names)}: {reason}", markup=False)


def grid(*headings: str) -> Table:
    """Give a table without lines; all but its first column are numbers."""
    table = Table(box=None, pad_edge=False, show_header=any(headings), header_style="")
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="right" if position else "left", no_wrap=True)
    return table


def number(value: float, digits: int = 6) -> str:
    """Write a number, whole ones in full.

    Examples
    --------
    >>> number(1271250.0), number(1 / 3), number(float("nan"))
    ('1271250', '0.333333', 'undefined')
    """
    if math.isnan(value):
        return "undefined"
    return f"{value:.0f}" if value.is_integer() else f"{value:.{digits}g}"
