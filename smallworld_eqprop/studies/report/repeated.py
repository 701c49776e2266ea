"""Runs of other settings that came out the same to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from smallworld_eqprop.studies.store import Store

__all__ = ["Repeated", "repeated_runs", "repeated_settings"]


@dataclass(frozen=True)
class Repeated:
    """A run that repeats an earlier one, and whether that is because no edge was moved."""

    of: str
    unmoved: bool

    def __str__(self) -> str:
        return f"{self.of}{' (no edge was moved)' if self.unmoved else ''}"


def repeated_runs(runs: pd.DataFrame, store: Store) -> dict[str, Repeated]:
    """Find runs whose outcomes all equal those of an earlier run of another setting; by key.

    Costs and corrections have some sixteen digits: they agree by chance in no two networks.
    """
    outcomes = [name for name in runs if str(name).startswith(("final_", "epoch1_"))]
    # A cost of NaN or exactly 0 says nothing.
    told = runs[runs["final_training_cost"].fillna(0) != 0]
    group = told.groupby(outcomes, dropna=False, sort=False).ngroup()
    first = told["key"].groupby(group).transform("first")
    found = told.loc[told["key"] != first, "key"]
    return {
        key: Repeated(of, not (_moved(store, key) or _moved(store, of)))
        for key, of in zip(found, first[found.index], strict=True)
    }


def repeated_settings(
    runs: pd.DataFrame, groups: Sequence[str], repeated: dict[str, Repeated]
) -> dict[int, str]:
    """Settings of which every run repeats one of another setting: their numbers and that setting's.

    The numbers are those of ``runs.groupby(groups, dropna=False, sort=False)``.
    """
    number = runs.groupby(list(groups), dropna=False, sort=False).ngroup()
    of_key = dict(zip(runs["key"], number, strict=True))
    found = {}
    for setting, keys in runs.groupby(number)["key"]:
        repeats = [repeated.get(key) for key in keys]
        others = {of_key[each.of] for each in repeats if each is not None}
        if None not in repeats and len(others) == 1 and (other := others.pop()) != setting:
            unmoved = all(each is not None and each.unmoved for each in repeats)
            found[setting] = f"row {other + 1}" + (" (no edge was moved)" if unmoved else "")
    return found


def _moved(store: Store, key: str) -> bool:
    return any(step.get("moved") for step in store.provenance(key))
