from __future__ import annotations

import os

import matplotlib
from hypothesis import settings

matplotlib.use("Agg")

# Shared machines make single examples slow, so no deadline; in CI the same examples every time.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")
