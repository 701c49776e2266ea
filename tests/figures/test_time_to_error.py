from __future__ import annotations

from importlib import import_module

import matplotlib.pyplot as plt
import pandas as pd


def test_every_network_has_a_curve_in_percent():
    script = import_module("time_to_error")
    table = pd.DataFrame(
        {
            "network": ["peer", "peer", "weak-feedback-3x500"],
            "time": [0.5, 1.0, 0.01],
            "test_error": [0.08, 0.06, 0.04],
        }
    )
    fig = script.draw(table, "share")
    (ax,) = fig.axes
    assert [line.get_label() for line in ax.lines] == [
        "layer-wise PyTorch peer",
        "layered, weak feedback",
    ]
    assert ax.lines[0].get_ydata().tolist() == [8.0, 6.0]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    plt.close(fig)
