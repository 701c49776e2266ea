"""The layered graph, its edges and its adjacency matrix: what every other part stands on."""

import lazy_loader

# The public names are those in __init__.pyi.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
