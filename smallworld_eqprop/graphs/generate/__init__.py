"""Layered networks, and the transformations that rewire, add or remove their edges."""
