"""The layered graph, its edges and its adjacency matrix: what every other part stands on."""
