"""The command line in careless hands."""

import json
import os

import pytest

from smallworld_eqprop.cli import main

LONG = "k" * 100_000
SMALL = '[topology]\nkind = "layered"\nlayer_sizes = [64, 3, 10]\n[data]\nkind = "digits"\n'
STUDY = "epochs = 1\n[base]\ndataset = 'digits'\nlayer_sizes = [64, 3, 10]\n[grid]\n"


def test_no_arguments_print_the_help_and_are_no_error(capsys):
    assert main([]) == 0
    shown = capsys.readouterr()
    assert "Usage" in shown.out + shown.err


def test_an_option_is_no_value_of_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(SMALL)
    assert main(["train", "mine.toml", "--out", "--json"]) == 2
    assert capsys.readouterr().err == "error: --out: no value is given; '--json' is an option\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


@pytest.mark.parametrize("number", ["0", "-1", "100000"])
def test_a_number_of_threads_that_no_machine_has_is_refused(number, capsys):
    for command in ("train", "metrics"):
        assert main([command, "layered-5x100", "--threads", number]) == 2
        assert "must be a whole number from 1 to 1024" in capsys.readouterr().err


def test_a_number_of_workers_that_no_machine_has_is_refused(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text(f"{STUDY}p = [0]\n")
    store = tmp_path / "mine.sqlite"
    command = ["sweep", str(tmp_path / "mine.toml"), "--store", str(store)]
    assert main([*command, "--workers", "100000"]) == 2
    assert "workers: 100000, must be a whole number from 1 to 1024" in capsys.readouterr().err
    assert not store.exists()


@pytest.mark.parametrize(
    "content",
    [
        f"{LONG} = 1\n{SMALL}",
        f"{SMALL}[{LONG}]\n",
        SMALL.replace("digits", LONG),
        SMALL.replace("layered", LONG),
        SMALL.replace("layered", f"{LONG}:{LONG}"),
        SMALL.replace('"digits"', f'"csv"\npath = "{LONG}.csv"\ntarget = "y"'),
        f"{SMALL}n_train = {'9' * 4000}\n",
        f'{SMALL}"{"k " * 50_000}" = 1\n',
        SMALL.replace("[64, 3, 10]", "[" * 5000 + "]" * 5000),
    ],
    ids=["key", "table", "data", "kind", "class", "path", "number", "words", "brackets"],
)
def test_what_a_run_file_holds_is_named_in_a_short_line(content, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(content)
    assert main(["train", "mine.toml", "--out", "run"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) <= 1010
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [LONG],
        ["train", f"--{LONG}"],
        ["train", LONG],
        ["train", "layered-5x100", "--set", f"{LONG}=1"],
        ["train", "layered-5x100", "--set", "layer_sizes=" + "[" * 5000],
        ["train", "layered-5x100", "--set", "n_train=" + "9" * 5000],
        ["metrics", f"{LONG}.graphml"],
        ["export", LONG, "--out", LONG],
        ["export", "mine.sqlite", "--out", "tables", "--format", LONG],
    ],
)
def test_what_stands_on_the_command_line_is_named_in_a_short_line(arguments, capsys):
    assert main(arguments) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert len(line) <= 1010


@pytest.mark.parametrize(
    "command",
    [["train", "p.toml"], ["sweep", "p.toml"], ["metrics", "p.graphml"], ["report", "p.sqlite"]],
)
def test_a_pipe_is_refused_by_its_kind_and_not_waited_for(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(command[1])
    assert main(command) == 2
    assert f"{command[1]}: not a file, but a device or a pipe" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["none", "true", "nan", "inf", "1e300", "-1"])
@pytest.mark.parametrize("key", ["beta", "learning_rate", "bias_rate", "other_amplitude"])
def test_a_value_that_is_no_usable_number_is_one_line(key, value, tmp_path, capsys):
    out = tmp_path / "run"
    changed = ["--set", f"{key}={value}", "--out", str(out), "--dataset", "digits"]
    assert main(["train", "layered-5x100", *changed]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not out.exists()


def test_counts_are_integers_in_json(tmp_path, capsys):
    path = tmp_path / "small.toml"
    path.write_text('[topology]\nkind = "layered"\nlayer_sizes = [4, 3, 2]\n')
    assert main(["metrics", str(path), "--costs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    assert {name for name, value in found.items() if isinstance(value, int)} == {
        *("n_nodes", "n_edges", "n_components", "degree_smallest", "degree_largest"),
        *("edge_disjoint_paths", "fan_in_largest", "fan_out_largest", "crossbar_tiles"),
        *("dacs", "adcs", "weight_memories"),
    }
