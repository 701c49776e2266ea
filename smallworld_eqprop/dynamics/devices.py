"""Where a network is computed: by NumPy, or by torch on a processor or a CUDA card.

Names of devices are ``numpy``, ``cpu``, ``cuda`` and ``cuda:N``; all but the first mean torch.
Nothing here imports torch until a device that needs it is asked for.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any

from smallworld_eqprop.errors import InputError

__all__ = ["NUMPY", "check_device_name", "on_device", "require_device"]

NUMPY = "numpy"


def check_device_name(device: str) -> None:
    """Refuse an invalid name of a device; do not check whether the device exists.

    Raises
    ------
    InputError
    """
    if not isinstance(device, str) or not re.fullmatch(r"numpy|cpu|cuda(:\d+)?", device):
        raise InputError(f"device: {device!r}, allowed: numpy, cpu, cuda, cuda:N")


def require_device(device: str) -> None:
    """Refuse a device that cannot be used here.

    Parameters
    ----------
    device : str

    Raises
    ------
    InputError
        If the name is unknown, torch is not installed, or there is no such card.
    """
    check_device_name(device)
    if device == NUMPY:
        return
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            f"device: {device!r} needs torch, which is not installed; "
            "pip install 'smallworld-eqprop[gpu]', or leave device at 'numpy'"
        )
    if device == "cpu":
        return
    import torch

    cards = torch.cuda.device_count()
    if int(device.partition(":")[2] or 0) >= cards:
        raise InputError(
            f"device: {device!r}, but torch {torch.__version__} finds {cards} CUDA cards; "
            "allowed here: numpy, cpu" + "".join(f", cuda:{n}" for n in range(cards))
        )


def on_device(network: Any, device: str) -> Any:
    """The network on a device: itself where it lives there already, otherwise a copy.

    Parameters
    ----------
    network : Network or TorchNetwork
    device : str
        ``numpy``, or a device of torch.

    Raises
    ------
    InputError
        If the device cannot be used here.
    """
    library = network.backend.library
    if device == NUMPY == library:
        return network
    parts = network.graph, network.weights, network.biases, network.model
    if device == NUMPY:
        from smallworld_eqprop.dynamics.network import Network

        return Network(*parts, dtype=network.dtype)
    require_device(device)
    # Imported here, because torch is an extra.
    from smallworld_eqprop.dynamics.torch_network import TorchNetwork

    if isinstance(network, TorchNetwork):
        return network
    return TorchNetwork(*parts, dtype=network.dtype, device=device)
