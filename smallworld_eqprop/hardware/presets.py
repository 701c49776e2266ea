"""Published devices as lists of this package's, in units in which weights reach from -1 to 1.

What a list leaves out is said beside it. Numbers that come from a fit of somebody else name it.

References
----------
M. J. Rasch et al., "A flexible and fast PyTorch toolkit for simulating training and inference on
analog crossbar arrays", IEEE AICAS, 2021, doi:10.1109/AICAS51828.2021.9458494 (aihwkit).
"""

from __future__ import annotations

from smallworld_eqprop.hardware.base import Device
from smallworld_eqprop.hardware.updates import Pulses, SoftBounds
from smallworld_eqprop.hardware.weights import Drift, ProgrammingError

__all__ = ["PRESETS"]

# Largest conductance of a phase-change device, in microsiemens: the weight 1.
LARGEST = 25.0

#: The devices of each preset, from the first to the last.
PRESETS: dict[str, tuple[Device, ...]] = {
    # T. Gokmen and Y. Vlasov, Front. Neurosci. 10:333, 2016, doi:10.3389/fnins.2016.00333: their
    # baseline of 1200 states, at most 10 pulses an update. Left out: the bounds, and the ratio of
    # up to down, are the same for all weights here.
    "gokmen-vlasov-2016": (
        Pulses(0.001, limit=10, noise=0.3, spread=0.3),
        SoftBounds(-0.6, 0.6, up_slope=0, down_slope=0),
    ),
    # N. Gong et al., Nat. Commun. 9:2102, 2018, doi:10.1038/s41467-018-04485-1: resistive memory of
    # hafnium oxide, as soft bounds in aihwkit (ReRamSBPresetDevice), shifted so that steps up and
    # down are the same at 0. Left out: variation of the bounds, noise of writing beside that of
    # pulses; the noise becomes smaller near a bound, as the steps do.
    "reram-gong-2018": (
        Pulses(0.002, noise=3.75, spread=0.3),
        SoftBounds(-0.75, 1.25),
    ),
    # J. Tang et al., IEDM, 2018, doi:10.1109/IEDM.2018.8614551: lithium electrochemical memory, as
    # linear steps in aihwkit (EcRamPresetDevice). Left out: variation of bounds and slopes.
    "ecram-tang-2018": (
        Pulses(0.002, noise=0.3, spread=0.1),
        SoftBounds(-0.8276, 1.1724, up_slope=0.1153, down_slope=0.5085),
    ),
    # S. R. Nandakumar et al., ICECS, 2019, doi:10.1109/ICECS46596.2019.8964852, as in V. Joshi et
    # al., Nat. Commun. 11:2473, 2020, doi:10.1038/s41467-020-16108-9, and aihwkit: phase-change
    # memory programmed to a weight and left to drift, first read after 20 s. A batch counts as a
    # second. The exponent is that of the largest conductance; smaller ones drift up to twice as
    # fast, which is left out as 1/f noise is.
    "pcm-nandakumar-2019": (
        ProgrammingError(0.26348 / LARGEST, 1.965 / LARGEST, -1.1731 / LARGEST),
        Drift(0.049, spread=0.008, time=20),
    ),
}
