"""Folders that hold something already: what is started in, and what never is written over."""

from __future__ import annotations

import dataclasses
import json
import shutil
from contextlib import contextmanager

import pytest

from smallworld_eqprop import InputError, Run, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import named
from smallworld_eqprop.studies import folder as folder_module
from smallworld_eqprop.studies.layout import holding
from smallworld_eqprop.studies.scratch import empty_unless_run

WAYS = ("error", "resume", "overwrite")


def everything(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def write(folder, *names, content="mine"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


@pytest.mark.parametrize("existing", WAYS)
@pytest.mark.parametrize(
    "names",
    [
        ["history.csv"],
        ["checkpoint.npz"],
        ["graph.npz"],
        ["corrections/epoch-0001.npy", "errors/epoch-0001.npy"],
        ["corrections/notes.txt"],
        ["thesis.tex"],
        [".hidden"],
        [".checkpoint.npz-abcd1234"],
        ["folder/run.json"],
        ["run.json.bak"],
    ],
)
def test_a_folder_with_files_and_no_run_is_never_touched(tiny, tmp_path, existing, names):
    write(tmp_path / "mine", *names)
    before = everything(tmp_path)
    with pytest.raises(InputError, match=r"holds files, but no run .*; name another") as caught:
        train(tiny, tmp_path / "mine", epochs=1, existing=existing)
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("existing", WAYS)
@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "3", '"run"', "{}", '{"config": {}}', '{"starting": true}',
        '{"starting": "soon", "key": 1, "version": 2}', "\x00",
    ],
)  # fmt: skip
def test_another_programs_run_json_is_no_run(tiny, tmp_path, existing, content):
    write(tmp_path / "mine", "run.json", content=content)
    write(tmp_path / "mine", "history.csv")
    before = everything(tmp_path)
    with pytest.raises(InputError, match=r"run\.json: .*name another folder") as caught:
        train(tiny, tmp_path / "mine", epochs=1, existing=existing)
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("existing", WAYS)
def test_an_empty_folder_and_one_with_a_killed_first_write_are_free(tiny, tmp_path, existing):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "killed", ".run.json-k3_9abcd", ".run.json-00000000")
    for name in ("empty", "killed", "absent"):
        assert holding(tmp_path / name) == "nothing"
        run = train(tiny, tmp_path / name, epochs=1, existing=existing)
        assert len(run.history) == 1
        assert not list(run.folder.rglob(".*"))


def test_overwriting_removes_what_the_run_wrote_and_nothing_else(tiny, reference):
    kept = ("notes.txt", "corrections/mine.npy", "corrections/epoch-mean.npy", ".history.csv")
    write(reference.folder, *kept)
    write(reference.folder, ".checkpoint.npz-abcd1234", "errors/.epoch-0002.npy-abcd1234")
    run = train(tiny, reference.folder, epochs=1, existing="overwrite")
    assert len(run.history) == 1
    assert sorted(everything(run.folder)) == sorted(
        [
            *kept, "run.json", "graph.npz", "history.csv", "checkpoint.npz", "corrections",
            "errors", "corrections/epoch-0001.npy", "errors/epoch-0001.npy",
        ]
    )  # fmt: skip
    assert all((run.folder / name).read_text() == "mine" for name in kept)


@pytest.mark.parametrize("gone", [["checkpoint.npz"], ["checkpoint.npz", "history.csv"]])
def test_a_run_whose_checkpoint_is_gone_is_not_started_anew(tiny, reference, gone):
    for name in gone:
        (reference.folder / name).unlink()
    before = everything(reference.folder)
    with pytest.raises(InputError, match=r"checkpoint\.npz is missing; put it back, or overwrite"):
        train(tiny, reference.folder, epochs=2, existing="resume")
    assert everything(reference.folder) == before
    train(tiny, reference.folder, epochs=2, existing="overwrite")


def test_a_run_killed_before_its_first_checkpoint_goes_on(
    tiny, reference, tmp_path, same_outcome, monkeypatch
):
    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("smallworld_eqprop.studies.runs.write_checkpoint", die)
        with pytest.raises(Killed):
            train(tiny, tmp_path / "killed", epochs=2)
    assert (tmp_path / "killed" / "errors" / "epoch-0001.npy").exists()
    train(tiny, tmp_path / "killed", epochs=2, existing="resume")
    same_outcome(reference.folder, tmp_path / "killed")


@pytest.mark.parametrize("was_there", [False, True])
def test_a_start_killed_anywhere_can_be_made_again(
    tiny, tmp_path, same_outcome, monkeypatch, was_there
):
    """Whatever it does next: every file that is written or removed, and every folder made."""
    folder, again = tmp_path / "run", tmp_path / "again"
    small = dataclasses.replace(tiny, data=named("digits", 40))
    reference = train(small, tmp_path / "reference", epochs=1)
    before = train(small.changed(seed=99), tmp_path / "before", epochs=2)

    class Killed(BaseException):
        pass

    left = 0

    def count():
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    writer, saver = folder_module.atomic_writer, folder_module.save_graph

    @contextmanager
    def mortal_writer(path):
        count()
        with writer(path) as file:
            yield file
        count()

    def mortal_saver(graph, path):
        count()
        saver(graph, path)
        count()

    def mortal(method):
        def dies(path, *arguments, **named):
            count()
            return method(path, *arguments, **named)

        return dies

    completed = 0
    for lifetime in range(1, 60):
        if was_there and not folder.exists():
            shutil.copytree(before.folder, folder)
        left = lifetime
        with monkeypatch.context() as patch:
            patch.setattr(folder_module, "atomic_writer", mortal_writer)
            patch.setattr(folder_module, "save_graph", mortal_saver)
            patch.setattr("pathlib.Path.unlink", mortal(type(folder).unlink))
            patch.setattr("pathlib.Path.mkdir", mortal(type(folder).mkdir))
            try:
                train(small, folder, epochs=1, existing="overwrite" if was_there else "error")
            except Killed:
                pass
            else:
                break
        if holding(folder) != "nothing":
            with pytest.raises(InputError, match="holds a run already"):
                train(small, folder, epochs=1)
        if holding(folder) == "start":
            completed += 1
            with pytest.raises(InputError, match="start of this run was cut off; resume or"):
                Run(folder)
            for remedy in ("resume", "overwrite"):
                shutil.copytree(folder, again)
                train(small, again, epochs=1, existing=remedy)
                same_outcome(reference.folder, again)
                shutil.rmtree(again)
        shutil.rmtree(folder, ignore_errors=True)
    assert completed >= 4


def test_a_scratch_folder_without_a_run_is_emptied(tiny, reference, tmp_path):
    write(tmp_path / "scratch", "progress", "corrections/epoch-0001.npy", "run.json")
    (tmp_path / "scratch" / "link").symlink_to(reference.folder)
    empty_unless_run(tmp_path / "scratch")
    assert not list((tmp_path / "scratch").iterdir())
    before = everything(reference.folder)
    empty_unless_run(reference.folder)
    assert everything(reference.folder) == before


def test_what_to_do_with_a_run_is_one_of_three_words(tiny, reference):
    with pytest.raises(InputError, match="existing: 'Resume'; did you mean resume"):
        train(tiny, reference.folder, epochs=3, existing="Resume")
    assert len(Run(reference.folder).history) == 2


@pytest.mark.parametrize("options", [[], ["--resume"], ["--overwrite"]])
def test_the_command_line_refuses_in_one_line(tmp_path, capsys, options):
    write(tmp_path / "mine", "history.csv", "corrections/data.npy")
    before = everything(tmp_path)
    out = str(tmp_path / "mine")
    arguments = ["train", "layered-5x100", "--dataset=digits", "--set=layer_sizes=64,9,10"]
    assert main([*arguments, "--train-examples=20", "--out", out, *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {out}: holds files, but no run")
    assert error.count("\n") == 1
    assert everything(tmp_path) == before


def test_the_record_is_complete_once_training_begins(tiny, tmp_path):
    seen = []

    def look(progress):
        seen.append(json.loads((tmp_path / "run" / "run.json").read_text()))

    train(tiny, tmp_path / "run", epochs=1, on_batch=look)
    assert {record["key"] for record in seen} == {tiny.key}
    assert not any("starting" in record for record in seen)
