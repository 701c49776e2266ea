"""What asks for more memory than there is ends in one line, before it is allocated."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from smallworld_eqprop import memory
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import Npz
from smallworld_eqprop.dynamics.saving import load_network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import read_file
from smallworld_eqprop.graphs.convert import load_graph, read_graph
from smallworld_eqprop.graphs.core import LayeredGraph
from smallworld_eqprop.graphs.generate import (
    add_intralayer,
    add_rings,
    hidden_graph,
    kings_graph,
    layered,
    pegasus_graph,
)
from smallworld_eqprop.graphs.measure import normalised_rich_club, small_world_sigma
from smallworld_eqprop.studies.columns import COLUMNS, read_columns
from smallworld_eqprop.studies.folder import checkpoint_arrays

FREE = 10**7


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(memory, "GRANTED", 10**6)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=FREE))


def refused(message: str, ask, *arguments) -> None:
    """That a call ends in one line, and has allocated next to nothing until then."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            ask(*arguments)
        assert tracemalloc.get_traced_memory()[1] < FREE / 2
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def npy(header: str, content: bytes) -> bytes:
    padded = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + content


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_what_fits_is_granted(small_machine):
    memory.require_memory(FREE, "texts", "give fewer")
    with pytest.raises(InputError, match=r"^texts need 0.02 GB of memory, but 0.01 GB are free; "):
        memory.require_memory(2 * FREE, "texts", "give fewer")


NAMES = ("x", "y", "layer_sizes", "format", "shape", "edges", "header", "features")
DOORS = {
    "data": lambda path: Npz(str(path)).load(),
    "graph": load_graph,
    "another graph": lambda path: read_graph(path, [0], [1]),
    "network": load_network,
    "checkpoint": lambda path: checkpoint_arrays(path, "key"),
    "columns": lambda path: read_columns(path.parent),
}


@pytest.mark.parametrize("door", DOORS)
def test_archives_that_grow_beyond_memory(tmp_path, small_machine, door):
    shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }"
    path = tmp_path / COLUMNS
    archive(path, **dict.fromkeys(NAMES, npy(shape % (2 * 10**5), bytes(16 * 10**5))))
    assert path.stat().st_size < 10**6
    refused(rf"{path}.*its arrays need 0.0128 GB of memory, but 0.01 GB", DOORS[door], path)
    archive(path, **dict.fromkeys(NAMES, npy(shape % 10**12, b"12345678")))
    told = rf"{path}.*its header says 8000000000000 bytes, but there are 8"
    refused(told, DOORS[door], path)


@pytest.mark.filterwarnings("ignore:Stored array in format")
def test_every_header_that_numpy_writes_is_read():
    arrays = {
        "number": np.array(3),
        "empty": np.empty((0, 4)),
        "text": np.array(["a", "bcd"]),
        "columns": np.asfortranarray(np.ones((3, 2), np.float32)),
        "fields": np.zeros(2, [("ä", "<i4"), ("\u4e16", "<f8")]),
        "long": np.zeros(1, [(f"field{i}" * 20, "<i4") for i in range(60)]),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    file.seek(0)
    opened = memory.open_npz(file)
    assert all((opened[name] == array).all() for name, array in arrays.items())


@pytest.mark.parametrize("write", [np.save, lambda file, array: np.savez(file, x=array)])
def test_pickles_stay_unread(write):
    file = io.BytesIO()
    write(file, np.array([print], object))
    file.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        memory.open_npz(file)["x"]


def test_files_that_never_end_or_do_not_fit(tmp_path, small_machine):
    refused("^/dev/zero: not a file", read_file, Path("/dev/zero"))
    refused("^/dev/zero: not a file", Npz("/dev/zero").load)
    with (tmp_path / "large.npz").open("wb") as file:
        file.truncate(2 * FREE)
    refused("large.npz: its bytes need 0.02 GB", load_graph, tmp_path / "large.npz")


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (r"^layer sizes: \[99999, 99999\]: 9999800001 edges", lambda: layered((99_999,) * 2)),
        (
            r"^layer sizes: \[1, 99999998\]: 99999999 nodes need",
            lambda: LayeredGraph((1, 99_999_998), [(0, 1)]),
        ),
        (
            "intralayer: 4998450120 edges need",
            lambda: add_intralayer(LayeredGraph((1, 99_985, 1), [(0, 1)])),
        ),
        (
            "^edges: 90000, scale-free need",
            lambda: hidden_graph(1, 50_000, 1, 90_000, "scale-free", entry=1, exits=1),
        ),
        ("neighbours: 100: ", lambda: add_rings(LayeredGraph((1, 99_985, 1), [(0, 1)]), 100)),
        ("^1000000000000 nodes of a chip", lambda: kings_graph(10**6)),
        ("nodes of a chip", lambda: pegasus_graph(10**6)),
    ],
)
def test_graphs_that_memory_does_not_hold(small_machine, message, make):
    refused(message, make)


@pytest.mark.parametrize(
    "content", ["*vertices 999999999\n*arcs\n1 2\n", "*Vertices  999999999\n*Edges\n"]
)
def test_a_pajek_file_of_more_nodes_than_memory_holds(tmp_path, small_machine, content):
    path = tmp_path / "many.net"
    path.write_text(content)
    refused(rf"^{path}: .*999999999 need 60 GB", read_graph, path, [0], [1])


def test_a_sparse_matrix_of_more_rows_than_memory_holds(tmp_path, small_machine):
    path = tmp_path / "many.npz"
    entries = {"row": np.array([0]), "col": np.array([1]), "data": np.array([1.0])}
    np.savez(path, **entries, shape=np.array([10**10] * 2), format=np.array(b"coo"))
    refused(rf"^{path}: matrix: 10000000000 rows need 80 GB", read_graph, path, [0], [1])


def test_more_null_samples_than_memory_holds(small_machine):
    graph = layered((3, 2, 2))
    refused("^n_null: 1000000 samples need", lambda: small_world_sigma(graph, n_null=10**6))
    refused("^n_null: 1000000 samples need", lambda: normalised_rich_club(graph, n_null=10**6))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["metrics", "layered-5x100", "--null=erdos_renyi", "--n-null=1000000"],
            "n_null: 1000000 samples",
        ),
        (["metrics", "huge.toml"], "layer sizes: [64, 999999, 10]: "),
        (["train", "huge.toml", "--out=run", "--epochs=1"], "layer sizes: [64, 999999, 10]: "),
        (
            ["train", "layered-5x100", "--set=layer_sizes=[784, 999999, 10]", "--out=run"],
            "layer sizes: [784, 999999, 10]: ",
        ),
    ],
)
def test_on_the_command_line(tmp_path, monkeypatch, capsys, small_machine, arguments, told):
    monkeypatch.chdir(tmp_path)
    table = '[topology]\nkind = "layered"\nlayer_sizes = [64, 999999, 10]\n'
    Path("huge.toml").write_text(f'{table}[data]\nkind = "digits"\n')
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert told in error
    assert not Path("run").exists()


@pytest.mark.parametrize("command", [["train", "--out=run"], ["metrics"]])
def test_a_run_file_of_more_layers_than_fit_is_refused_at_once(
    tmp_path, monkeypatch, capsys, command
):
    monkeypatch.chdir(tmp_path)
    sizes = [64, *[1] * 30_000, 10]
    Path("deep.toml").write_text(f'data.kind = "digits"\ntopology.layer_sizes = {sizes}\n')
    assert main([*command, "deep.toml"]) == 2
    assert capsys.readouterr().err == "error: layer sizes: 30002 layers; give at most 10000\n"
    assert not Path("run").exists()
