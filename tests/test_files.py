"""Files that are replaced: only by a whole file, and nothing that nobody asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from smallworld_eqprop.cli import main
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, require_own
from smallworld_eqprop.graphs.convert import load_graph, save_graph
from smallworld_eqprop.graphs.generate import layered
from smallworld_eqprop.studies.scratch import Scratch, run_folder


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_writer(path) as file:
        file.write(content)


def test_an_interrupted_write_changes_nothing(tmp_path):
    path = tmp_path / "mine"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_writer(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "graph.npz", tmp_path / "link.npz"
    save_graph(layered((3, 2)), file)
    link.symlink_to(Path("disk") / "graph.npz")
    save_graph(layered((5, 4)), link)
    assert link.is_symlink()
    assert load_graph(file) == layered((5, 4))
    assert [path.name for path in file.parent.iterdir()] == ["graph.npz"]


def test_a_file_hands_on_its_permissions(tmp_path):
    path = tmp_path / "private"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write(path)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_protected_file_stays(tmp_path):
    path = tmp_path / "graph.npz"
    path.write_bytes(b"precious")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected"):
        write(path)
    with pytest.raises(InputError, match=f"^{path}: cannot be written .write-protected"):
        save_graph(layered((3, 2)), path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("through", ["itself", "a link"])
def test_what_is_no_file_stays(tmp_path, through):
    (tmp_path / "folder.npz").mkdir()
    os.mkfifo(tmp_path / "pipe.npz")
    for name in ("folder.npz", "pipe.npz"):
        path = tmp_path / name
        if through == "a link":
            path = tmp_path / f"link-{name}"
            path.symlink_to(tmp_path / name)
        with pytest.raises(OSError, match="not a file, so it is not replaced"):
            write(path)
        with pytest.raises(InputError, match=f"^{path}: cannot be written"):
            save_graph(layered((3, 2)), path)
    assert (tmp_path / "folder.npz").is_dir()
    assert (tmp_path / "pipe.npz").is_fifo()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing", "link to a file"])
def test_a_file_of_somebody_else_is_refused(tmp_path, kind):
    path, other = tmp_path / "page.html", tmp_path / "other"
    other.write_bytes(b"theirs")
    if kind == "file":
        path.write_bytes(b"theirs")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(other if kind == "link to a file" else tmp_path / "nothing")
    with pytest.raises(InputError, match=f"^{path}: exists already and is not a page"):
        require_own(path, "a page", lambda found: found.read_bytes() == b"ours")
    assert path.is_dir() or path.is_symlink() or path.read_bytes() == b"theirs"


def test_copies_that_somebody_made_in_a_scratch_folder_stay(tmp_path):
    own, copies = tmp_path / "key.0123abcd", ("key.backup", "key.0123abcd.old", "key.txt")
    own.mkdir()
    for name in copies:
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "epoch.npy", np.ones(2))
    (tmp_path / "notes.sweep").touch()
    scratch = Scratch(tmp_path, "host~1~2.00~0123abcd")
    scratch.open(done=())
    with run_folder(scratch.marker, "key") as folder:
        assert folder.parent == tmp_path
    assert not own.exists()  # taken over
    scratch.remove("key")
    scratch.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*copies, "notes.sweep"])
    assert all((tmp_path / name / "epoch.npy").exists() for name in copies)


@pytest.mark.parametrize("more", [[], ["--resume"], ["--overwrite"]])
def test_a_run_never_takes_a_folder_that_somebody_made(tmp_path, monkeypatch, capsys, more):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/graph.npz").write_bytes(b"precious")
    Path("mine/graph.npz").chmod(0o444)
    Path("link").symlink_to("mine")
    for name in ("mine", "link"):
        assert main(["train", "layered-5x100", "--epochs=1", f"--out={name}", *more]) == 2
        assert f"{name}: holds files, but no run" in capsys.readouterr().err
    assert [path.name for path in Path("mine").iterdir()] == ["graph.npz"]
    assert Path("mine/graph.npz").read_bytes() == b"precious"


@pytest.mark.parametrize("data", ['{kind="npz",path=%s}', '{kind="csv",path=%s,target="y"}'])
def test_a_name_with_nul_is_refused_in_one_line(tmp_path, monkeypatch, capsys, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(
        "topology.layer_sizes=[64,5,10]\ndata=" + data % r'"a\u0000b"' + "\n"
    )
    assert main(["train", "mine.toml"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(r"'a\x00b': a name of a file without NUL characters is needed")
