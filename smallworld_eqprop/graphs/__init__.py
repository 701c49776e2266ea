"""Topologies as graph objects: make, measure, randomise, convert and draw them.

Nothing here knows of learning.
"""
