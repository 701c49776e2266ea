from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.history import log_spread

nan = float("nan")


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
    with pytest.raises(InputError, match=rf"^{name}: ") as caught:
        TrainingConfig(**{name: value})
    assert "\n" not in str(caught.value)


def test_config_names_the_phases_it_stands_for():
    fast = TrainingConfig(tolerance=1e-4, max_sweeps=77, nudged_steps=12, step_size=0.25)
    assert fast.free_phase == SOR(1e-4, 77)
    assert fast.nudged_phase == Euler(12, 0.25)
    assert TrainingConfig(relaxation="euler", free_steps=9).free_phase == Euler(9, 0.5)


def test_defaults_are_the_paper_protocol():
    config = TrainingConfig()
    assert (config.learning_rate, config.beta, config.batch_size) == (0.02, 1.0, 20)
    assert config.nudged_phase == Euler(8, 0.5)
    assert TrainingConfig(relaxation="euler").free_phase == Euler(500, 0.5)


def test_rates_of_the_layers():
    assert TrainingConfig(learning_rate=0.3).layer_rates(4).tolist() == [0.3] * 3
    published = (0.128, 0.032, 0.008, 0.002)
    assert TrainingConfig(learning_rate=published).layer_rates(5).tolist() == list(published)
    assert TrainingConfig(learning_rate=0).layer_rates(3).tolist() == [0, 0]


@pytest.mark.parametrize("n_layers", [2, 3, 5])
def test_rates_must_fit_the_layers(n_layers):
    with pytest.raises(InputError, match=rf"3 rates for the {n_layers - 1} layers"):
        TrainingConfig(learning_rate=(1, 2, 3)).layer_rates(n_layers)


def test_configs_are_values():
    listed = TrainingConfig(learning_rate=[0.1, 0.2])  # as TOML gives it
    assert listed == TrainingConfig(learning_rate=(0.1, 0.2))
    assert hash(listed) == hash(TrainingConfig(learning_rate=(0.1, 0.2)))


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
