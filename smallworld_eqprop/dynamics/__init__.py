"""Dynamics: couplings, energy and the relaxation to a fixed point."""
