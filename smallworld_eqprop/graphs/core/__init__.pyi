"""Every public name of the graph itself and where it lives."""

from .blocks import block_densities as block_densities
from .graph import LayeredGraph as LayeredGraph
from .reachability import unreached_outputs as unreached_outputs
