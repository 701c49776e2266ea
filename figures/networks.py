"""The paper's networks as the figures show them, and where their runs are."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from style import BLUE, GREEN, ORANGE, PALETTE, arguments

from smallworld_eqprop.studies.runs import Run

ROOT = Path(__file__).resolve().parents[1]

# preset: label, colour, marker, network in the table of published curves
NETWORKS = {
    "layered-3x500": ("layered, one rate", BLUE, "o", "layered_global_rate"),
    "layered-3x500-per-layer": (
        "layered, per-layer rates",
        ORANGE,
        "s",
        "layered_per_layer_rates",
    ),
    "rewired-3x500": ("rewired, p = 7.56 %", GREEN, "^", "rewired_p0.10_no_intralayer"),
    "rewired-3x500-no-intralayer": (
        "rewired, p = 10 %",
        PALETTE[4],
        "v",
        "rewired_p0.10_no_intralayer",
    ),
    "layered-5x100": ("layered 5 x 100, one rate", PALETTE[5], "D", None),
    "rewired-5x100": ("rewired 5 x 100, p = 7.56 %", PALETTE[6], "P", None),
    "rewired-5x100-no-intralayer": ("rewired 5 x 100, p = 10 %", PALETTE[8], "X", None),
}


def look(run: Run) -> tuple[str, object, str, str | None]:
    """Label, colour, marker and published name of a run; of any other network its own name."""
    return NETWORKS.get(run.config.name, (run.config.name, "0.2", "*", None))


def published_curves() -> pd.DataFrame:
    return pd.read_csv(ROOT / "results" / "published_learning_curves.csv", comment="#")


def options(description: str | None) -> argparse.Namespace:
    """Read ``--runs`` and ``--out``; by default the runs of the fullest ``make reproduce``."""
    parser = arguments(description)
    parser.add_argument(
        "--runs", type=Path, nargs="+", metavar="DIR", help="run folders, in the order to show"
    )
    found = parser.parse_args()
    found.runs = found.runs or default_runs()
    if not found.runs:
        parser.error("no runs given and none found under runs/; make reproduce first")
    return found


def default_runs() -> list[Path]:
    """Folders of the paper profile, or else of the quick one, with a finished epoch."""
    for profile in ("paper", "quick"):
        parent = Path("runs") / f"reproduce-{profile}"
        folders = [parent / name for name in NETWORKS]
        finished = [folder for folder in folders if (folder / "history.csv").exists()]
        if finished:
            return finished
    return []
