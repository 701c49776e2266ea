"""The parts of graphs, each with its own public names."""

from . import convert as convert
from . import core as core
from . import draw as draw
from . import generate as generate
from . import measure as measure
from . import nulls as nulls
from . import topology as topology
