from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.models import Hopfield
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.history import log_spread
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.optimisers import SGD
from smallworld_eqprop.learning.rules import Centred, RandomSign
from smallworld_eqprop.learning.schedules import Constant, Schedule

nan = float("nan")
INNER = SOR()


@dataclass(frozen=True)
class Nudging(Solver):
    """A solver with a field that rules have too."""

    solver: Solver = INNER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", -0.1),
        ("learning_rate", nan),
        ("learning_rate", float("inf")),
        ("learning_rate", (0.1, -0.2)),
        ("learning_rate", (0.1, nan)),
        ("learning_rate", ()),
        ("bias_rate", -1.0),
        ("bias_rate", nan),
        ("bias_rate", float("inf")),
        ("beta", 0),
        ("beta", -1.0),
        ("beta", nan),
        ("beta", float("inf")),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("batch_size", nan),
        ("relaxation", "jacobi"),
        ("tolerance", 0),
        ("tolerance", nan),
        ("max_sweeps", 0),
        ("max_sweeps", nan),
        ("free_steps", 0),
        ("free_steps", nan),
        ("nudged_steps", 0),
        ("nudged_steps", 8.5),
        ("step_size", 0),
        ("step_size", 1.1),
        ("step_size", nan),
        ("other_amplitude", -0.1),
        ("other_amplitude", nan),
        ("seed", -1),
        ("seed", 0.5),
        ("seed", nan),
    ],
)
def test_impossible_values_are_refused_by_name(name, value):
    # Steps are of a method, which knows no phase.
    told = "steps" if name in ("free_steps", "nudged_steps") else name
    with pytest.raises(InputError, match=rf"^{told}: ") as caught:
        TrainingConfig.paper(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "told"), [("free_steps", "steps"), ("tolerance", "tolerance")])
@pytest.mark.parametrize("relaxation", ["sor", "euler"])
def test_values_of_the_other_relaxation_are_checked_too(name, told, relaxation):
    with pytest.raises(InputError, match=rf"^{told}: 0"):
        TrainingConfig.paper(relaxation=relaxation, **{name: 0})


def test_the_papers_recipe_in_old_numbers():
    fast = TrainingConfig.paper(
        tolerance=1e-4, max_sweeps=77, nudged_steps=12, step_size=0.25, beta=0.5, bias_rate=1
    )
    assert fast.relaxation == SOR(1e-4, 77)
    assert fast.rule == RandomSign(0.5, Euler(12, 0.25))
    assert fast.loss == SquaredError()
    assert fast.optimiser == SGD(0.02, 1)
    assert fast.start == "particles"
    published = TrainingConfig.paper(relaxation="euler", free_steps=9, other_amplitude=0.05, seed=3)
    assert published.relaxation == Euler(9, 0.5)
    assert published.initial == Initial(other_amplitude=0.05)
    assert published.seed == 3
    assert TrainingConfig.paper(batch_size=7) == TrainingConfig(batch_size=7)


def test_defaults_are_the_paper_protocol():
    config = TrainingConfig()
    assert config == TrainingConfig.paper()
    assert config.optimiser == SGD(0.02)
    assert config.rule == RandomSign(1.0, Euler(8, 0.5))
    assert (config.model, config.initial, config.batch_size) == (Hopfield(), Initial(), 20)
    assert TrainingConfig.paper(relaxation="euler").relaxation == Euler(500, 0.5)


@pytest.mark.parametrize(
    ("name", "part", "kind"),
    [
        ("model", Hopfield, "Model"),  # the class, not an instance
        ("rule", "centred", "Rule"),
        ("loss", None, "Loss"),
        ("optimiser", 0.1, "Optimiser"),
        ("relaxation", "sor", "Solver"),
        ("initial", 0.05, "Initial"),
    ],
)
def test_a_part_that_is_none_is_refused(name, part, kind):
    with pytest.raises(InputError, match=rf"^{name}: .*, must be an? {kind}$") as caught:
        TrainingConfig(**{name: part})
    assert "\n" not in str(caught.value)


def test_a_start_that_is_none_is_refused():
    with pytest.raises(InputError, match="start: 'zero', allowed: particles, rest"):
        TrainingConfig(start="zero")


def test_changed_finds_fields_of_parts():
    config = TrainingConfig(rule=Centred(0.2))
    changed = config.changed(beta=0.1, learning_rate=(0.1, 0.2), tolerance=1e-5, gain=0.5, seed=3)
    assert changed == TrainingConfig(
        rule=Centred(0.1),
        optimiser=SGD((0.1, 0.2)),
        relaxation=SOR(1e-5),
        initial=Initial(0.5),
        seed=3,
    )
    assert config == TrainingConfig(rule=Centred(0.2))
    assert config.changed() == config


def test_changed_takes_whole_parts_and_fields_of_theirs():
    config = TrainingConfig().changed(relaxation=Euler(30))
    assert config.relaxation == Euler(30)
    assert config.changed(steps=40, step_size=0.2).relaxation == Euler(40, 0.2)
    assert TrainingConfig().changed(optimiser=SGD(0.3), bias_rate=1.0).optimiser == SGD(0.3, 1.0)
    both = TrainingConfig().changed(relaxation=Euler(30), step_size=0.25)
    assert both.relaxation == Euler(30, 0.25)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"optimizer": SGD()}, "optimizer: no field"),
        ({"steps": 3}, "steps: no field"),
        ({"solver": SOR(), "relaxation": Nudging()}, "solver: fields of rule, relaxation"),
        ({"beta": -1.0}, "beta: -1.0"),
        ({"relaxation": "sor"}, "relaxation: 'sor', must be a Solver"),
    ],
)
def test_changed_refuses_what_it_cannot_place(change, told):
    with pytest.raises(InputError, match=told) as caught:
        TrainingConfig().changed(**change)
    assert "\n" not in str(caught.value)


def rates(config, n_layers):
    config.check_layers(n_layers)
    return config.optimiser.rates(n_layers, 0)


def test_rates_of_the_layers():
    assert rates(TrainingConfig.paper(learning_rate=0.3), 4) == ([0.3] * 3, [0.3] * 3)
    published = [0.128, 0.032, 0.008, 0.002]
    config = TrainingConfig.paper(learning_rate=tuple(published), bias_rate=1.0)
    assert rates(config, 5) == (published, [1.0] * 4)
    assert rates(config.changed(bias_rate=None), 5) == (published, published)
    assert rates(TrainingConfig.paper(learning_rate=0), 3) == ([0, 0], [0, 0])


@pytest.mark.parametrize("n_layers", [2, 3, 5])
def test_rates_must_fit_the_layers(n_layers):
    with pytest.raises(InputError, match=rf"3 rates for the {n_layers - 1} layers"):
        TrainingConfig.paper(learning_rate=(1, 2, 3)).check_layers(n_layers)


@pytest.mark.parametrize("optimiser", [SGD, SGD((0.1, 0.2)), SGD(0.1, 0.5)])
def test_every_array_of_parameters_has_its_rate(optimiser):
    optimiser = optimiser() if isinstance(optimiser, type) else optimiser
    network = Network(rewire(add_intralayer(layered((4, 5, 3))), 0.3, seed=0))
    weights, biases = optimiser.rates(3, 7)
    for group in network.groups:
        rate = {"weights": weights, "biases": biases}[group.kind][group.layer - 1]
        step, memory = optimiser.of(group).step(np.ones(3), np.zeros(3), {}, 7)
        assert step.tolist() == [-rate] * 3
        assert memory == {}


@pytest.mark.parametrize("rate", [-0.1, nan, float("inf"), (), (0.1, -1), (0.1, nan)])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(InputError, match=r"^learning_rate: .*, must be finite and at least 0$"):
        SGD(rate)
    if isinstance(rate, float):
        with pytest.raises(InputError, match=r"^bias_rate: .*, must be finite and at least 0$"):
            SGD(0.1, rate)


def test_a_schedule_gives_the_rate_of_a_step():
    @dataclass(frozen=True)
    class Halving(Schedule):
        def value(self, t):
            return 0.5**t

    optimiser = SGD(Halving())
    assert optimiser.rates(3, 4) == ([0.0625] * 2, [0.0625] * 2)
    assert SGD(Constant(0.3)).rates(2, 9) == ([0.3], [0.3])
    assert SGD(Halving(), 0.5).rates(2, 3) == ([0.125], [0.5])
    optimiser.check(7)


def test_squared_error_is_without_a_half():
    loss = SquaredError()
    output, target = np.array([[0.5, 0.0], [1.0, 0.25]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    assert loss.cost(output, target).tolist() == [1.25, 0.0625]
    step = 1e-6 * np.eye(2)
    for k in range(2):
        up, down = (loss.cost(output + sign * step[k], target) for sign in (1, -1))
        np.testing.assert_allclose(loss.force(output, target)[:, k], (down - up) / 2e-6, atol=1e-8)
        up, down = (loss.force(output + sign * step[k], target)[:, k] for sign in (1, -1))
        np.testing.assert_allclose((down - up) / 2e-6, loss.curvature, rtol=1e-8)


def test_configs_are_values():
    listed = TrainingConfig.paper(learning_rate=[0.1, 0.2])  # as TOML gives it
    assert listed == TrainingConfig.paper(learning_rate=(0.1, 0.2))
    assert hash(listed) == hash(TrainingConfig.paper(learning_rate=(0.1, 0.2)))


@pytest.mark.parametrize(
    ("corrections", "expected"),
    [
        ([[3.0, 3.0, 3.0]], 0.0),
        ([[1.0, 100.0]], 1.0),
        ([[1e-4, 1e-3, 1e-2]], np.sqrt(2 / 3)),
        ([[0.0, 1.0], [2.0, 1.0]], 0.0),  # the mean over batches comes before the logarithm
        ([[5.0]], 0.0),
    ],
)
def test_log_spread_in_closed_form(corrections, expected):
    assert log_spread(corrections) == pytest.approx(expected, abs=1e-12)


def test_log_spread_does_not_depend_on_the_scale_of_the_rates():
    corrections = np.random.default_rng(0).random((30, 5))
    assert log_spread(1e-3 * corrections) == pytest.approx(log_spread(corrections), abs=1e-12)


def test_log_spread_of_a_pair_that_never_changed_is_unknown():
    assert np.isnan(log_spread([[1.0, 0.0], [2.0, 0.0]]))
