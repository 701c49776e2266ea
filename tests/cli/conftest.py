from __future__ import annotations

import pytest

from smallworld_eqprop.cli import progress, study_progress


class Clock:
    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The time that displays go by; it stands still until it is set."""
    clock = Clock()
    for module in (progress, study_progress):
        monkeypatch.setattr(module, "time", clock)
    return clock
