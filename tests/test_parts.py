"""Parts of a configuration: values of a wrong type are refused in one line."""

import dataclasses
from typing import Literal

import pytest

from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.models import WeakFeedback
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.topology.families import Layered, Rewire
from smallworld_eqprop.hardware.nodes import Mismatch
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.optimisers import Adam
from smallworld_eqprop.learning.rules import Centred
from smallworld_eqprop.learning.schedules import Constant, Exponential, Schedule
from smallworld_eqprop.parts import Part, Repeats, SeedNumber, type_name


@pytest.mark.parametrize("value", [None, "word", True, float("nan"), 1e300, [], {}])
@pytest.mark.parametrize(
    ("kind", "name", "others"),
    [
        (Layered, "layer_sizes", {}),
        (Rewire, "p", {}),
        (Mismatch, "gains", {}),
        (Centred, "beta", {}),
        (Initial, "gain", {}),
        (Adam, "decay", {}),
        (SOR, "max_sweeps", {}),
        (WeakFeedback, "feedback", {}),
        (Constant, "rate", {}),
        (Exponential, "half_life", {"rate": 0.1}),
        (TrainingConfig, "batch_size", {}),
    ],
)
def test_what_is_no_number_is_one_line(kind, name, others, value):
    if (kind, value) == (Layered, []):
        value = [0]
    with pytest.raises(InputError, match=name) as caught:
        kind(**others, **{name: value})
    assert "\n" not in str(caught.value)


def test_limits_of_a_class_are_named_before_its_types():
    @dataclasses.dataclass(frozen=True)
    class Own(Part):
        share: float = 0.5

        def __post_init__(self):
            if not 0 <= self.share <= 1:
                raise InputError(f"share: {self.share}, must be from 0 to 1")

    with pytest.raises(InputError, match="from 0 to 1"):
        Own(2.0)
    with pytest.raises(InputError, match="share: 'word', must be float"):
        Own("word")


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (float | None, "float or nothing"),
        (tuple[int, ...], "list of int"),
        (Literal["a", "b"], "'a', 'b'"),
        (float | tuple[float, ...] | Schedule, "float or list of float or Schedule"),
        (bool, "bool"),
        (Repeats | None, "a whole number from 1 to 1000000 or nothing"),
        (tuple[SeedNumber, ...], "list of whole numbers from 0 to 3.4e+38"),
    ],
)
def test_types_in_words(hint, words):
    assert type_name(hint) == words
