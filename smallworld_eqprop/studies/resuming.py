"""What has to be as it was for a run to go on: configuration, version, graph and data."""

from __future__ import annotations

from collections.abc import Mapping

from smallworld_eqprop._version import __version__
from smallworld_eqprop.data import Dataset
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.digest import first_difference, graph_digest
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.record import Run

__all__ = ["check_same", "check_same_data"]


def check_same(run: Run, config: RunConfig) -> None:
    """Refuse to resume a run of another configuration, version or graph.

    Raises
    ------
    InputError
        Naming what differs.
    """
    if run.record.get("version") != __version__:
        raise InputError(
            f"{run.folder}: made by version {run.record.get('version')}, this is {__version__}; "
            "resume it with that version or overwrite it"
        )
    # The key as it was: a file may have changed since, or gone elsewhere.
    if run.record.get("key") != config.key:
        old, new = run.config.flat(), config.flat()
        changed = [
            f"{key} is {old[key]}, not {new[key]}"
            for key in new
            if key in old and key not in ("name", "summary", "device") and old[key] != new[key]
        ] or ["a file has another content"]
        raise InputError(
            f"{run.folder}: holds a run of another configuration ({'; '.join(changed)}); "
            "ask for the same one, or name another folder"
        )
    # A topology of somebody else's, or another version of a library, may build another graph.
    digest = run.record.get("graph", {}).get("sha256")  # missing in runs of earlier versions
    if digest is None:
        return
    graph = config.topology.build(config.training.seed)
    if graph_digest(graph) != digest:
        raise InputError(
            f"{run.folder}: its topology makes another graph now "
            f"({first_difference(run.initial_graph, graph)}); restore the version that made it, or "
            "name another folder"
        )


def check_same_data(run: Run, data: Dataset) -> None:
    """Refuse to go on with a run on other data.

    Raises
    ------
    InputError
        Naming what differs.
    """
    old = run.record["dataset"]
    for name, was, now in (
        ("SHA-256", _contents(old["sha256"]), _contents(data.fingerprint)),
        ("n_train", old["n_train"], len(data.x_train)),
        ("n_test", old["n_test"], len(data.x_test)),
    ):
        if was != now:
            raise InputError(
                f"{run.folder}: holds a run on other data ({old['name']}, now {data.name}: {name} "
                f"was {was}, is {now}); give the same data, or name another folder"
            )


def _contents(sha256: Mapping[str, str]) -> str:
    """What is in files, whatever they are called."""
    return " ".join(sorted(digest[:16] for digest in sha256.values()))
