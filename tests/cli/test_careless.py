"""The command line in careless hands."""

import json

import pytest

from smallworld_eqprop.cli import main


def test_no_arguments_print_the_help_and_are_no_error(capsys):
    assert main([]) == 0
    shown = capsys.readouterr()
    assert "Usage" in shown.out + shown.err


@pytest.mark.parametrize("number", ["0", "-1", "100000"])
def test_a_number_of_threads_that_no_machine_has_is_refused(number, capsys):
    assert main(["train", "layered-5x100", "--threads", number]) == 2
    assert "must be a whole number from 1 to 1024" in capsys.readouterr().err


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
    assert main(["metrics", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]
    assert isinstance(found["n_nodes"], int)
    assert isinstance(found["density"], float)
