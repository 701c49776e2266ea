"""Every public name of pictures of a graph and where it lives."""

from .drawing import draw as draw
from .drawing import spy as spy
