"""Learning: equilibrium propagation and the loop that trains a network with it."""

import lazy_loader

# The public names are those in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
