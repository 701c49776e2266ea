"""Every public name of topologies as specs and where it lives."""

from .base import Topology as Topology
from .chips import Chimera as Chimera
from .chips import Chip as Chip
from .chips import King as King
from .chips import Pegasus as Pegasus
from .chips import Square as Square
from .chips import Zephyr as Zephyr
from .families import AddSkips as AddSkips
from .families import Layered as Layered
from .families import RandomLike as RandomLike
from .families import Rewire as Rewire
from .families import RewireEnds as RewireEnds
from .families import RewireKeepingDegrees as RewireKeepingDegrees
from .families import Thin as Thin
from .file import File as File
from .hidden import HiddenGraph as HiddenGraph
from .null import NullOf as NullOf
