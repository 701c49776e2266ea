"""Every public null model and lattice and where it lives."""

from .directed import DirectedNullSample as DirectedNullSample
from .directed import directed_degree_preserving as directed_degree_preserving
from .directed import reciprocity_preserving as reciprocity_preserving
from .geometry import geometry_preserving as geometry_preserving
from .lattices import degree_preserving_lattice as degree_preserving_lattice
from .lattices import ring_lattice as ring_lattice
from .nullmodels import degree_preserving as degree_preserving
from .nullmodels import erdos_renyi as erdos_renyi
from .nullmodels import layer_blocks as layer_blocks
from .nullmodels import layer_blocks_with_degrees as layer_blocks_with_degrees
from .samples import NullSample as NullSample
from .weighted import shuffled_weights as shuffled_weights
from .weighted import strength_preserving as strength_preserving
