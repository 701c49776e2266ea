"""Several devices as one, published ones by name, and what may stand under ``[hardware]``."""

from __future__ import annotations

from dataclasses import dataclass

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.hardware.base import Device
from smallworld_eqprop.hardware.nodes import Mismatch, Slew, Thermal
from smallworld_eqprop.hardware.presets import PRESETS
from smallworld_eqprop.hardware.readout import Converters, Readout
from smallworld_eqprop.hardware.updates import Pulses, Resolution, SoftBounds, UpdateNoise
from smallworld_eqprop.hardware.weights import Drift, Levels, ProgrammingError, Stuck
from smallworld_eqprop.specs import Slot

__all__ = ["HARDWARE", "Devices", "Published"]


@dataclass(frozen=True)
class Devices(Device):
    """Several devices, one after the other; without any the network is ideal.

    Parameters
    ----------
    devices : tuple of Device
        The devices in the order in which they act on a step, a circuit, or a reading.
    """

    devices: tuple[Device, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "devices", tuple(self.devices))
        for each in self.devices:
            if not isinstance(each, Device):
                raise InputError(f"hardware: {each!r:.60}, must be a Device")

    @property
    def parts(self) -> tuple[Device, ...]:
        """The devices, and those that they stand for."""
        return tuple(part for each in self.devices for part in each.parts)

    @property
    def memories(self) -> int:  # type: ignore[override]
        """Those of all devices."""
        return sum(each.memories for each in self.parts)


@dataclass(frozen=True)
class Published(Device):
    """A device of the literature by its name, as a list of this package's devices.

    ``Published("ecram-tang-2018").parts`` gives them, to go on with other numbers.

    Parameters
    ----------
    preset : str
        One of gokmen-vlasov-2016, reram-gong-2018, ecram-tang-2018, pcm-nandakumar-2019.

    Raises
    ------
    InputError
        If there is none of that name.
    """

    preset: str

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise InputError(f"preset: unknown {self.preset!r}; {nearest(self.preset, PRESETS)}")

    @property
    def parts(self) -> tuple[Device, ...]:
        """The devices of the preset."""
        return PRESETS[self.preset]


#: What may stand under ``[hardware]``; several ``[[hardware]]`` are one after the other.
HARDWARE = Slot(
    "hardware",
    Device,
    {
        "levels": Levels,
        "programming-error": ProgrammingError,
        "drift": Drift,
        "stuck": Stuck,
        "resolution": Resolution,
        "pulses": Pulses,
        "soft-bounds": SoftBounds,
        "update-noise": UpdateNoise,
        "mismatch": Mismatch,
        "slew": Slew,
        "thermal": Thermal,
        "readout": Readout,
        "converters": Converters,
        "published": Published,
        "devices": Devices,
    },
    several="devices",
)
