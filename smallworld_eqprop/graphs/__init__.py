"""Topologies as first-class graph objects; nothing here knows of learning."""
