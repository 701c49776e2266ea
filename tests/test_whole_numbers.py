"""Whole numbers that no machine computes to the end are refused, in every field and option."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import typer

from smallworld_eqprop import EqPropClassifier, RunConfig, Study, layered, train
from smallworld_eqprop.cli import app, main
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.measure import detect_communities, small_world_sigma
from smallworld_eqprop.graphs.topology import File
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.parts import Label, SeedNumber, field_types
from smallworld_eqprop.specs import read_fields
from smallworld_eqprop.studies.config import SLOTS

ABSURD = (2**31, 10**18, -(2**31))
#: Numbers that are names: nothing is counted or computed so often.
NAMES = (SeedNumber, Label)


def whole(hint: Any) -> list[Any]:
    """The whole numbers in an annotated type."""
    if hint is int or get_origin(hint) is Annotated:
        return [hint]
    return [found for inner in get_args(hint) for found in whole(inner)]


KINDS = {
    **{(slot.name, name): kind for slot in SLOTS for name, kind in slot.kinds.items()},
    ("training", ""): TrainingConfig,
    ("initial", ""): Initial,
}
FIELDS = [
    (f"{table}-{called}-{name}", kind, name, hint)
    for (table, called), kind in KINDS.items()
    for name, hint in field_types(kind).items()
    if whole(hint)
]
COUNTS = [field for field in FIELDS if not set(whole(field[-1])) <= set(NAMES)]


def refused(call: Any, name: str, value: int) -> None:
    """Check that a call says in one line which field has which value, and what it may have."""
    with pytest.raises(InputError) as caught:
        call()
    told = rf"{re.escape(name)}(\[0\])?: {value}, must be a whole number from \d+ to \d+"
    assert re.fullmatch(f"{told}( or nothing)?", str(caught.value))


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize(
    ("kind", "name", "hint"), [field[1:] for field in COUNTS], ids=[field[0] for field in COUNTS]
)
def test_no_field_takes_a_number_without_an_end(kind, name, hint, value):
    given = [value] if "tuple" in str(hint) else value
    refused(lambda: read_fields(kind, {name: given}, SLOTS, "here."), f"here.{name}", value)


def test_seeds_and_labels_are_all_that_may_be_larger():
    names = {name for _, _, name, _ in FIELDS} - {name for _, _, name, _ in COUNTS}
    assert names == {"seed", "split_seed"}
    assert {name for _, kind, name, _ in FIELDS if kind is File} == {"inputs", "outputs"}
    assert not [name for _, kind, name, _ in COUNTS if kind is File]
    assert len(COUNTS) > 60  # so that the test above looks at something


def test_seeds_and_labels_may_be_large():
    assert TrainingConfig(seed=2**127).seed == 2**127
    assert File("a.gml", inputs=720_575_940_612_345_678, outputs=-1).outputs == -1
    with pytest.raises(InputError, match=r"^seed: a number of 16610 bits, must be a whole number"):
        TrainingConfig(seed=10**5000)


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("epochs", lambda n: train(RunConfig(), "run", epochs=n)),
        ("threads", lambda n: train(RunConfig(), "run", epochs=1, threads=n)),
        ("epochs", lambda n: Study("study", (RunConfig(),), epochs=n)),
        ("max_iter", lambda n: EqPropClassifier(max_iter=n).fit([[0.0], [1.0]], [0, 1])),
        ("n_null", lambda n: small_world_sigma(layered((3, 2, 2)), n_null=n)),
        ("n_tries", lambda n: detect_communities(layered((3, 2, 2)), n_tries=n)),
    ],
)
def test_no_argument_takes_a_number_without_an_end(name, call, value):
    refused(lambda: call(value), name, value)


BASES = {
    "train": ["layered-5x100", "--dataset=digits", "--out=run"],
    "sweep": ["study.toml"],
    "metrics": ["layered-5x100", "--null=erdos_renyi"],
}
STUDY = 'epochs = 1\n[base]\ndataset = "digits"\nlayer_sizes = [64, 4, 10]\n[grid]\nseed = [0]\n'
OPTIONS = [
    (command, f"--{name.replace('_', '-')}")
    for command, made in typer.main.get_command(app).commands.items()
    for name, hint in get_type_hints(made.callback).items()
    if hint in (int, int | None) and name not in ("seed", "return")
]


def test_there_are_options_of_whole_numbers():
    assert {"--epochs", "--train-examples", "--workers", "--n-null", "--sources", "--threads"} <= {
        option for _, option in OPTIONS
    }


@pytest.mark.parametrize("value", [2**31, 10**18])
@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_no_option_takes_a_number_without_an_end(
    tmp_path, monkeypatch, capsys, command, option, value
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    assert main([command, *BASES[command], f"{option}={value}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(rf"error: \S+: {value}, must be a whole number from \d+ to \d+", line)
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
