"""Every public name of files of graphs and where it lives."""

from .files import read_graph as read_graph
from .io import load_graph as load_graph
from .io import save_graph as save_graph
