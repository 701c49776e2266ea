"""What networkx is told about the backend; it asks on every import, so nothing is imported."""

from __future__ import annotations

from typing import Any

__all__ = ["describe"]


def describe() -> dict[str, Any]:
    """Give the metadata of the backend, as the entry point ``networkx.backend_info``."""
    note = {"additional_docs": "Undirected simple graphs, without weights, all nodes."}
    names = (
        "average_clustering",
        "average_shortest_path_length",
        "clustering",
        "degree_assortativity_coefficient",
        "global_efficiency",
        "local_efficiency",
        "robins_alexander_clustering",
        "transitivity",
        "triangles",
    )
    drawn = {"additional_docs": "Undirected simple graphs, distances on the ring (D=None)."}
    return {
        "backend_name": "smallworld_eqprop",
        "project": "smallworld-eqprop",
        "package": "smallworld_eqprop",
        "short_summary": "Compiled metrics for layered and other undirected graphs.",
        "functions": {
            **dict.fromkeys(names, note),
            **dict.fromkeys(("lattice_reference", "random_reference"), drawn),
        },
    }
