"""Every public name of what makes graphs and where it lives."""

from .chip_lattices import chimera_graph as chimera_graph
from .chip_lattices import kings_graph as kings_graph
from .chip_lattices import pegasus_graph as pegasus_graph
from .chip_lattices import square_lattice as square_lattice
from .chip_lattices import zephyr_graph as zephyr_graph
from .chips import chip_graph as chip_graph
from .endpoints import rewire_ends as rewire_ends
from .endpoints import rewire_keeping_degrees as rewire_keeping_degrees
from .families import add_rings as add_rings
from .families import add_skips as add_skips
from .families import random_like as random_like
from .families import thin as thin
from .hidden import hidden_graph as hidden_graph
from .layers import add_intralayer as add_intralayer
from .layers import layered as layered
from .rewiring import difference as difference
from .rewiring import moves_for as moves_for
from .rewiring import rewire as rewire
