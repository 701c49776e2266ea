"""Null models: random graphs and lattices that share chosen properties with a given graph."""
