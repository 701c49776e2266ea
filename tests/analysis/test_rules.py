from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from smallworld_eqprop import InputError
from smallworld_eqprop.learning.config import SLOTS
from smallworld_eqprop.learning.rules import Rule

SMALL = ("--dataset", "digits", "--validation", "200", "--epochs", "1", "--networks", "small")


@pytest.fixture
def rules(monkeypatch, tmp_path):
    module = import_module("rules")
    monkeypatch.setattr(module, "NETWORKS", {"small": ((12, 11), 0.3)})
    monkeypatch.chdir(tmp_path)
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["rules.py", *SMALL, "--table", "rules.csv", *arguments])
    module.main()
    return pd.read_csv("rules.csv")


def test_every_rule_of_the_package_is_compared(rules):
    assert set(rules.RULES) == set(next(slot.kinds for slot in SLOTS if slot.base is Rule))


def test_a_row_for_every_rule_and_their_means(rules, monkeypatch, capsys):
    table = run(rules, monkeypatch, "--seeds", "0", "1", "--p", "0.1")
    assert len(table) == 2 * len(rules.RULES)
    assert (table.ended == "finished").all()
    assert table[rules.ERRORS].stack().between(0, 100).all()
    centred = table[table.rule == "centred"]
    line = next(x for x in capsys.readouterr().out.splitlines() if " 0.1  centred" in x)
    assert f"{centred.test_error.mean():.2f} ± {centred.test_error.std():.2f}" in line


def test_what_is_there_is_not_trained_again(rules, monkeypatch, capsys):
    first = run(rules, monkeypatch, "--rules", "centred", "--p", "0")
    capsys.readouterr()
    table = run(rules, monkeypatch, "--rules", "centred", "one-sided", "--p", "0")
    assert "centred, seed" not in (told := capsys.readouterr().out)
    assert "one-sided, seed" in told
    assert table.rule.tolist() == ["centred", "one-sided"]
    assert table[:1].equals(first)
    # Another length of training is another run.
    assert len(run(rules, monkeypatch, "--rules", "centred", "--p", "0", "--epochs", "2")) == 3


def test_a_run_that_does_not_stay_finite_is_told_and_the_others_go_on(rules, monkeypatch, capsys):
    train = rules.Trainer.run_epoch

    def fail(self, **options):
        if self.config.rule == rules.CENTRED:
            raise InputError("epoch 1: states or weights are no longer finite")
        return train(self, **options)

    monkeypatch.setattr(rules.Trainer, "run_epoch", fail)
    table = run(rules, monkeypatch, "--rules", "centred", "one-sided", "--p", "0")
    assert table.ended.tolist() == ["epoch 1: states or weights are no longer finite", "finished"]
    assert table.test_error.isna().tolist() == [True, False]
    assert "not finite" in capsys.readouterr().out


def test_an_error_is_one_line(rules, monkeypatch):
    with pytest.raises(SystemExit, match=r"^error: validation: 1437, must be below"):
        run(rules, monkeypatch, "--validation", "1437")
    assert not Path("rules.csv").exists()
