"""Hardware: what the devices of a chip do to an ideal network, each device one small object."""

import lazy_loader

# The public names are those in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
