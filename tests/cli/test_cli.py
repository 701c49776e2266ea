from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smallworld_eqprop import Run, RunConfig, __version__
from smallworld_eqprop.cli import app, main
from smallworld_eqprop.cli.train import parse_value, resuming
from smallworld_eqprop.dynamics import SOR, Euler
from smallworld_eqprop.learning import SGD
from smallworld_eqprop.presets import preset_names

TINY = [
    "train",
    "rewired-5x100",
    "--dataset=digits",
    "--set=layer_sizes=64,15,12,10",
    "--train-examples=200",
    "--p=0.1",
    "--threads=1",
]


def fails(arguments, capsys):
    """Exit status and the one line of the error."""
    status = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", captured.err), captured.err
    return status, captured.err


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMALLWORLD_EQPROP_DEBUG", raising=False)


def test_version():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"smallworld-eqprop {__version__}\n")


def test_help_names_the_commands():
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert {"train", "presets"} <= set(result.output.split())


def test_presets_lists_every_network(capsys):
    assert main(["presets"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[0] != " "]
    assert listed == preset_names()
    assert main(["presets", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert [table["name"] for table in tables] == preset_names()
    assert [RunConfig.from_dict(table).name for table in tables] == preset_names()


def test_train_records_a_run_in_a_folder_named_after_it(capsys):
    assert main([*TINY, "--epochs=2", "--seed=7"]) == 0
    captured = capsys.readouterr()
    folder = Path("runs/rewired-5x100-seed7")
    assert captured.out.strip() == str(folder)
    run = Run(folder)
    assert run.config.training.seed == 7
    assert run.config.topology.layer_sizes == (64, 15, 12, 10)
    lines = captured.err.splitlines()
    assert [line[:9] for line in lines if line.startswith("epoch")] == ["epoch 1/2", "epoch 2/2"]
    error = 100 * run.history.test_error.iloc[-1]
    assert f"test error {error:.2f} %" in captured.err
    assert "\x1b" not in captured.err  # no colours where there is no terminal


def test_every_option_reaches_the_configuration():
    options = ["--learning-rate=0.1,0.02,0.03", "--relaxation=euler", "--dataset=digits"]
    settings = ["--set", "relaxation.steps=3", "--set", "beta=0.5", "--out=run", "--epochs=1"]
    assert main([*TINY, *options, *settings]) == 0
    training = Run(Path("run")).config.training
    assert training.optimiser == SGD((0.1, 0.02, 0.03))
    assert (training.relaxation, training.rule.beta) == (Euler(3), 0.5)


def test_a_tolerance_reaches_the_configuration():
    assert main([*TINY, "--tolerance=0.01", "--out=run", "--epochs=1"]) == 0
    assert Run(Path("run")).config.training.relaxation == SOR(0.01)


@pytest.mark.torch
def test_a_network_is_trained_by_torch():
    pytest.importorskip("torch")
    assert main([*TINY, "--device=cpu", "--out=run", "--epochs=1"]) == 0
    run = Run(Path("run"))
    assert run.config.training.device == "cpu"
    assert len(run.history) == 1


def test_json_is_one_line_per_epoch(capsys):
    assert main([*TINY, "--epochs=2", "--json", "--out=run"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    history = Run(Path("run")).history
    assert [row["epoch"] for row in rows] == [1, 2]
    assert [row["test_error"] for row in rows] == history.test_error.tolist()


def test_resume_goes_on_and_says_when_nothing_is_left(capsys):
    assert main([*TINY, "--epochs=1", "--out=run"]) == 0
    assert main([*TINY, "--epochs=2", "--out=run", "--resume"]) == 0
    assert len(Run(Path("run")).history) == 2
    capsys.readouterr()
    assert main([*TINY, "--epochs=2", "--out=run", "--resume"]) == 0
    assert "has all epochs already (2)" in capsys.readouterr().err
    status, message = fails([*TINY, "--epochs=2", "--out=run"], capsys)
    assert status == 2
    assert "run: holds a run already; continue it with --resume, replace it with" in message
    assert main([*TINY, "--epochs=1", "--out=run", "--overwrite"]) == 0


def test_a_run_folder_names_its_own_configuration(capsys):
    assert main([*TINY, "--epochs=1", "--out=run"]) == 0
    capsys.readouterr()
    status, message = fails(["train", "run", "--epochs=2"], capsys)
    assert status == 2
    assert "run: holds a run already; continue it with --resume" in message
    assert main(["train", "run", "--epochs=2", "--resume", "--threads=1"]) == 0
    assert main(["train", "run", "--epochs=2", "--out=again", "--threads=1"]) == 0
    run, again = Run(Path("run")), Run(Path("again"))
    assert run.config == again.config
    assert run.history.test_error.tolist() == again.history.test_error.tolist()
    capsys.readouterr()
    status, message = fails(["train", "run/run.json"], capsys)
    assert status == 2
    assert "run.json: give a preset, a file that ends in .toml, or a run folder" in message


@pytest.mark.parametrize("command", ["status run", "export run --out tables", "compare run"])
def test_a_run_folder_in_the_place_of_a_store_is_named(command, capsys):
    Path("run").mkdir()
    status, message = fails(command.split(), capsys)
    assert (status, "run: a folder, not the store of a study" in message) == (2, True)
    Path("run/run.json").write_text("{}")
    status, message = fails(command.split(), capsys)
    assert status == 2
    assert "run: a run folder, not the store of a study; report, metrics and status --" in message


def test_regression_is_reported_as_cost(capsys):
    Path("mine.toml").write_text('dataset = "diabetes"\n[topology]\nlayer_sizes = [10, 6, 5, 1]\n')
    assert main(["train", "mine.toml", "--train-examples=40", "--epochs=1"]) == 0
    captured = capsys.readouterr()
    assert "training cost 0." in captured.err
    assert Run(Path(captured.out.strip())).config.name == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "rewired-3x5000"], "did you mean rewired-3x500?"),
        (["train", "nowhere.toml"], "nowhere.toml: cannot be read"),
        ([*TINY, "--dataset=mnits"], "did you mean mnist?"),
        ([*TINY, "--set=batchsize=3"], "did you mean batch_size?"),
        ([*TINY, "--set=batch_size"], "write KEY=VALUE"),
        ([*TINY, "--set=p=0.3"], "p is given twice"),
        ([*TINY, "--p=nan"], "p: nan"),
        ([*TINY, "--p=-1"], "p: -1.0"),
        ([*TINY, "--moves=3"], "give one of them"),
        (["train", "rewired-3x500", "--moves=100000000"], "free places"),
        (["train", "layered-5x100", "--set=layer_sizes=784,-3,10"], "layer_sizes[1]: -3"),
        (["train", "layered-5x100", "--dataset=digits"], "needs 64"),
        ([*TINY, "--train-examples=-1"], "-1"),
        ([*TINY, "--epochs=0"], "epochs: 0"),
        ([*TINY, "--epochs=many"], "--epochs"),
        ([*TINY, "--threads=0"], "threads: 0"),
        ([*TINY, "--tolerance=nan"], "tolerance: nan"),
        ([*TINY, "--device=gpu"], "device: 'gpu', allowed: numpy, cpu, cuda, cuda:N"),
        ([*TINY, "--device=cuda:99"], "device: 'cuda:99'"),
        ([*TINY, "--learning-rate=0.1,fast"], "learning_rate"),
        ([*TINY, "--resume", "--overwrite"], "exclude each other"),
        ([*TINY, "--sed=3"], "--sed"),
        (["tran"], "train"),
        (["train"], "PRESET"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys):
    status, message = fails(arguments, capsys)
    assert status == 2
    assert words in message
    assert not Path("runs").exists()


def test_a_folder_that_cannot_be_made_is_one_line_and_status_1(capsys):
    Path("file").write_text("")
    status, message = fails([*TINY, "--epochs=1", "--out=file/run"], capsys)
    assert status == 1
    assert "file/run" in message
    assert "--out" in message


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("SMALLWORLD_EQPROP_DEBUG", "1")
    with pytest.raises(ValueError, match="p: nan"):
        main([*TINY, "--p=nan"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("1,2", [1, 2]),
        ("euler", "euler"),
        (" 0.5 ", 0.5),
        ("0.1,fast", "0.1,fast"),
        ("", ""),
    ],
)
def test_values_are_read_as_in_toml(text, value):
    assert parse_value(text) == value


def test_the_command_to_go_on_with():
    started = ["train", "mine.toml", "--overwrite", "--out", "my runs"]
    assert resuming(started) == "smallworld-eqprop train mine.toml --out 'my runs' --resume"
    assert resuming(["train", "x", "--resume"]) == "smallworld-eqprop train x --resume"


def test_ctrl_c_keeps_everything_and_says_how_to_go_on():
    arguments = [sys.executable, "-c", "import sys; from smallworld_eqprop.cli import main;"]
    arguments[-1] += "sys.exit(main())"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*arguments, *TINY, "--epochs=100000", "--json", "--out=run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        # Both pipes are read: on a busy machine the child may have filled that of its epochs.
        message = child.communicate()[1].splitlines()[-1]
    assert child.returncode == 130
    assert message.startswith("stopped; everything is kept.")
    assert message.endswith("--out=run --resume")
    done = len(Run(Path("run")).history)
    assert main([*TINY, f"--epochs={done + 1}", "--out=run", "--resume"]) == 0
    assert len(Run(Path("run")).history) == done + 1


def test_the_command_line_starts_without_plotting_or_learning_libraries():
    code = (
        "import sys; from smallworld_eqprop.cli import main; main(['presets']);"
        "print([m for m in ('matplotlib', 'seaborn', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
