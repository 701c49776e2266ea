"""What the scikit-learn estimators share: parameters, the epochs of a fit, the outputs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from smallworld_eqprop.data.columns import Scaling
from smallworld_eqprop.data.dataset import Dataset
from smallworld_eqprop.data.rows import SparseRows
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sharing import threads
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.learning.constant import warn_if_constant
from smallworld_eqprop.learning.history import EpochRecord
from smallworld_eqprop.learning.kept import Kept
from smallworld_eqprop.learning.losses import Loss
from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.recipe import (
    RELAXATION,
    check_parameters,
    check_same_network,
    data_of,
    graph_of,
    inputs_of,
    mostly_zero,
    network_parameters,
    spread,
    training_of,
)
from smallworld_eqprop.learning.rules import Rule
from smallworld_eqprop.learning.trainer import Trainer

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["EqPropEstimator"]

# A prediction must not depend on the examples beside it. The last digits of a relaxation to a
# tolerance do, so predictions relax in double precision until no digit that matters is left open.
PREDICTION = SOR(tolerance=1e-9, max_sweeps=2000)
# Examples predicted together: their states are to fit a cache.
TOGETHER = 250


class EqPropEstimator(BaseEstimator):
    """Base of `EqPropClassifier` and `EqPropRegressor`, which document the parameters."""

    _task: Literal["classification", "regression"]

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        *,
        p: float = 0.1,
        intralayer: bool = False,
        graph: LayeredGraph | nx.Graph | None = None,
        inputs: Iterable[Hashable] | None = None,
        outputs: Iterable[Hashable] | None = None,
        feedback: float = 0.1,
        gain: float = 1.5,
        learning_rate: float = 0.01,
        decay: float = 0.2,
        batch_size: int | Literal["auto"] = "auto",
        max_iter: int = 60,
        scaling: Literal["standard", "none"] = "standard",
        model: Model | None = None,
        rule: Rule | None = None,
        loss: Loss | None = None,
        optimiser: Optimiser | None = None,
        relaxation: Solver | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        device: str = "numpy",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.p = p
        self.intralayer = intralayer
        self.graph = graph
        self.inputs = inputs
        self.outputs = outputs
        self.feedback = feedback
        self.gain = gain
        self.learning_rate = learning_rate
        self.decay = decay
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.scaling = scaling
        self.model = model
        self.rule = rule
        self.loss = loss
        self.optimiser = optimiser
        self.relaxation = relaxation
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for `max_iter` epochs, or fewer with `early_stopping`.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)
            The regressor takes (n_samples, n_outputs) as well.
        sample_weight : array_like, shape (n_samples,), optional
            How much every example counts; one of weight 0 is left out.

        Returns
        -------
        self

        Raises
        ------
        InputError
            A ValueError: if a parameter is not usable or the graph does not fit the data.

        Warns
        -----
        ConvergenceWarning
            If the outputs do not depend on the input, or one answer for all examples is as good.
        """
        fresh = not (self.warm_start and hasattr(self, "network_"))
        self._learn(*self._read(X, y, fresh), sample_weight, fresh=fresh, once=False)
        return self

    def _once(self, X: Any, targets: npt.NDArray, sample_weight: Any, *, fresh: bool) -> Self:
        """One epoch on these examples alone, from where the last one left the optimiser."""
        if self.early_stopping:
            raise InputError("early_stopping: True, must be False for partial_fit")
        self._learn(X, targets, sample_weight, fresh=fresh, once=True)
        return self

    def _read(self, X: Any, y: Any, fresh: bool) -> tuple[Any, npt.NDArray]:
        """Checked features as they came; one column of targets per output node."""
        raise NotImplementedError

    def _counts(self, targets: npt.NDArray) -> npt.NDArray | None:  # noqa: ARG002
        """How much every example counts by its class; None where all count alike."""
        return None

    def _learn(
        self, X: Any, targets: npt.NDArray, sample_weight: Any, *, fresh: bool, once: bool
    ) -> None:
        """Train on checked data, from the start or from where the network stands."""
        check_parameters(self)
        weights = self._counts(targets)
        if sample_weight is not None:
            given = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
            if not given.any():  # scikit-learn 1.6 takes them
                raise InputError(
                    "sample_weight: contains no number but 0; give at least one non-zero number"
                )
            weights = given if weights is None else given * weights
        if weights is not None:
            if not weights.any():
                raise InputError("class_weight: 0 of every example; give one class more than 0")
            X, targets, weights = (each[weights > 0] for each in (X, targets, weights))
        if fresh:
            self._random_state = check_random_state(self.random_state)
            self._statistics, self._at_zero = StandardScaler(), mostly_zero(X)
            self._made_with = network_parameters(self)
            self.graph_ = graph_of(self, X.shape[1], targets.shape[1], self._seed())
            self.history_: list[EpochRecord] = []
            self.corrections_: list[npt.NDArray[np.float32]] = []
            self._errors: list[list[float]] = []
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = None
        elif made_with := getattr(self, "_made_with", None):  # the estimator of a run has none
            check_same_network(self, made_with)
        if self.early_stopping and self.validation_scores_ is None:
            self.validation_scores_ = []
        if self.scaling == "none":
            self.scaler_ = Scaling()
        elif fresh or once:
            # Later calls of partial_fit widen what they find.
            self._statistics.with_mean = not sparse.issparse(X)
            statistics = self._statistics.partial_fit(X, sample_weight=weights)
            self.scaler_ = spread(statistics, self._at_zero)
        data = data_of(self, X, targets, weights)
        config = training_of(self, self.graph_, len(data.x_train), self._seed(), once=once)
        network = None if fresh else self.network_
        trainer = Trainer(self.graph_, data, config, network=network)
        if once and not fresh and self._kept is not None:
            trainer.engine.updates.restore(self._kept.state[0])
        trainer.history = list(self.history_) if once else []
        best = self._epochs(trainer, data, 1 if once else self.max_iter)
        facts = (trainer.config, trainer.state(), data.facts, trainer.pairs, trainer.kinds)
        self._kept: Kept | None = Kept(*facts)
        weights, biases = best or (trainer.network.weights, trainer.network.biases)
        self._take(Network(self.graph_, weights, biases, trainer.config.model))
        if not once:
            warn_if_constant(self._states, data)

    def _epochs(self, trainer: Trainer, data: Dataset, n: int) -> tuple[Any, Any] | None:
        """Train for so many epochs, or until the validation score no longer improves.

        Returns
        -------
        tuple or None
            Weights and biases of the epoch with the best score, with `early_stopping`.
        """
        best, idle, kept = -np.inf, 0, None
        for self.n_iter_ in range(1, n + 1):
            errors = []
            with threads(trainer.network, effective_n_jobs(self.n_jobs)):
                for batch in trainer.run_epoch():
                    errors.append(batch.errors)
            self._errors.append(errors)
            self.corrections_.append(trainer.corrections)
            self.history_.append(trainer.history[-1])
            score = self._log(trainer.history[-1], data)
            if score is None:
                continue
            idle = 0 if score > best + self.tol else idle + 1
            if score > best:
                best, kept = score, (trainer.network.weights, trainer.network.biases)
            if idle >= self.n_iter_no_change:
                break
        return kept

    def _take(self, network: Network) -> None:
        """Take a network as the trained one."""
        self.network_ = network
        # Predictions are in double precision; made here, because predicting changes nothing.
        parts = (network.graph, network.weights, network.biases, network.model)
        self._double = Network(*parts, dtype=np.float64)

    def _seed(self) -> int:
        return int(self._random_state.randint(2**31))

    def _log(self, record: EpochRecord, data: Dataset) -> float | None:
        """Note an epoch; gives its score on the examples set apart, if there are some."""
        self.loss_curve_.append(record.training_cost)
        line, score = f"Epoch {self.n_iter_}, loss = {record.training_cost:.6f}", None
        if self.early_stopping and self.validation_scores_ is not None:
            score = 1 - record.test_error
            if self._task == "regression":
                deviation = data.y_test - data.y_test.mean(axis=0)
                variance = float(np.square(deviation).sum(axis=1).mean())
                score = 1 - record.test_cost / variance if variance else -record.test_cost
            self.validation_scores_.append(score)
            line += f", validation score = {score:.6f}"
        if self.verbose:
            print(line, flush=True)  # noqa: T201 what scikit-learn's `verbose` promises
        return score

    def _outputs(self, X: Any) -> npt.NDArray[np.float64]:
        """States of the output nodes when the network has settled, shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        features = validate_data(self, X, accept_sparse="csr", reset=False)
        return self._states(inputs_of(features, self.scaler_))

    def _states(self, rows: Any) -> npt.NDArray[np.float64]:
        """States of the output nodes of these inputs, shape (n_samples, n_outputs)."""
        network, solver = self._double, self.relaxation or RELAXATION
        if isinstance(solver, SOR):
            solver = PREDICTION
        outputs = np.empty((len(rows), self.graph_.layer_sizes[-1]))
        circuit = network.circuit
        plain = type(network.model).clamped is Model.clamped
        with threads(network, effective_n_jobs(self.n_jobs)):
            for begin in range(0, len(outputs), TOGETHER):
                part = slice(begin, begin + TOGETHER)
                if isinstance(rows, SparseRows) and plain:
                    # The first layer is linear: nothing has to become an array.
                    drive = circuit.drive(rows.above(part))
                    drive += circuit.drive(rows.zero[None]) - circuit.bias
                else:
                    clamped = network.model.clamped(rows[part].astype(np.float64))
                    drive = circuit.drive(clamped)
                start = np.broadcast_to(circuit.rest(), drive.shape)
                state = solver.relax(circuit, drive, start).state
                outputs[part] = state[:, network.output]
        return outputs

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_double"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            self._take(self.network_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
