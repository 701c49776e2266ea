"""Measures of a graph: distances, clustering, small-world coefficients, layers, spectra."""
