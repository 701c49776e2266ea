"""Learning: equilibrium propagation and the loop that trains a network with it."""
