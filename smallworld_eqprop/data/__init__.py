"""Named datasets, verified by SHA-256 and cached, and data in files of the user."""

import lazy_loader

# The names are those in __init__.pyi. Training needs none of the readers of users' files.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
