"""Named datasets, verified by SHA-256 and cached."""

from __future__ import annotations

from smallworld_eqprop.data.datasets import DATASETS, TASKS, Dataset, load

__all__ = ["DATASETS", "TASKS", "Dataset", "load"]
