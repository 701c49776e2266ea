"""What the scikit-learn estimators share: topology, scaling, the epochs of a fit, the outputs."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.threads import threads
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.engine import EVALUATION_BATCH
from smallworld_eqprop.learning.history import EpochRecord
from smallworld_eqprop.learning.trainer import Trainer

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["EqPropEstimator"]

# The schedule "adaptive" divides the learning rate by DROP, at most DROPS times.
DROP, DROPS = 5, 2
# A prediction must not depend on the examples beside it. The last digits of a relaxation do, so
# predictions relax in double precision until no digit that matters is left open.
PREDICTION = SOR(tolerance=1e-9, max_sweeps=2000)


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
        learning_rate: float | tuple[float, ...] = 0.1,
        schedule: Literal["adaptive", "constant"] = "adaptive",
        beta: float = 1.0,
        batch_size: int = 20,
        relaxation: Literal["sor", "euler"] = "sor",
        free_steps: int = 500,
        nudged_steps: int = 8,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 5,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
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
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.beta = beta
        self.batch_size = batch_size
        self.relaxation = relaxation
        self.free_steps = free_steps
        self.nudged_steps = nudged_steps
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any) -> Self:
        """Train until nothing improves any more, for at most `max_iter` epochs.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)
            The regressor takes (n_samples, n_outputs) as well.

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
            If it still improved in the last epoch, or the network does not settle.
        """
        fresh = not (self.warm_start and hasattr(self, "network_"))
        data = self._read(X, y, fresh)
        stopped = self._train(*data, fresh, self.max_iter)
        if not stopped:
            warnings.warn(
                f"the fit still improved after max_iter={self.max_iter} epochs; raise max_iter",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _partial_fit(self, features: npt.NDArray, targets: npt.NDArray, fresh: bool) -> Self:
        """One epoch on these examples alone; their free phases start from rest."""
        if self.early_stopping:
            raise InputError("early_stopping: True, must be False for partial_fit")
        self._train(features, targets, fresh, 1)
        return self

    def _read(self, X: Any, y: Any, fresh: bool) -> tuple[npt.NDArray, npt.NDArray]:
        """Checked features as they came; targets in [0, 1], one column per output node."""
        raise NotImplementedError

    def _train(self, features: npt.NDArray, targets: npt.NDArray, fresh: bool, epochs: int) -> bool:
        """Train for `epochs`, or fewer where nothing improves any more; whether it was fewer."""
        self._check_parameters()
        if fresh:
            self._random_state = check_random_state(self.random_state)
            inside = features.min() >= 0 and features.max() <= 1
            self.scaler_ = None if inside else MinMaxScaler(clip=True).fit(features)
            self.graph_ = self._build_graph(features.shape[1], targets.shape[1])
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        data = self._split(self._scaled(features), targets)
        network: Network | None = None if fresh else getattr(self, "network_", None)
        trainer = Trainer(self.graph_, data, self._training_config(), network=network)
        best, idle, kept = np.inf, 0, None
        drops = DROPS if self.schedule == "adaptive" else 0
        for self.n_iter_ in range(1, epochs + 1):
            # Where there are several equilibria a particle would stay in the one it was taught,
            # but an example to be predicted starts from rest.
            trainer.forget_particles()
            with threads(trainer.network, effective_n_jobs(self.n_jobs)):
                for _ in trainer.run_epoch():
                    pass
            value = self._log(trainer.history[-1], data)
            idle = 0 if value < best - self.tol else idle + 1
            if value < best:
                best = value
                if self.early_stopping:
                    kept = trainer.network.weights, trainer.network.biases
            if idle >= self.n_iter_no_change:
                if not drops:
                    break
                trainer.change(optimiser=slower(trainer.config.optimiser))
                drops, idle = drops - 1, 0
        self.network_ = Network(self.graph_, *kept) if kept else trainer.network
        self._warn_of_unrest(trainer.history[-1], data)
        return idle >= self.n_iter_no_change

    def _check_parameters(self) -> None:
        """Refuse what neither the graph nor `TrainingConfig` checks."""
        for name in ("max_iter", "n_iter_no_change"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name}: {value!r}, must be a whole number of at least 1")
        if self.schedule not in ("adaptive", "constant"):
            raise InputError(f"schedule: {self.schedule!r}, must be 'adaptive' or 'constant'")
        if not self.tol >= 0:
            raise InputError(f"tol: {self.tol}, must be at least 0")
        if not 0 < self.validation_fraction < 1:
            raise InputError(
                f"validation_fraction: {self.validation_fraction}, must be between 0 and 1"
            )

    def _build_graph(self, n_features: int, n_outputs: int) -> LayeredGraph:
        # Drawn in any case, so that the same random_state gives the same weights with any graph.
        seed = self._seed()
        chosen = self.inputs is not None or self.outputs is not None
        if self.graph is None:
            if chosen:
                raise InputError("inputs, outputs: given without a graph; give graph as well")
            hidden = self.hidden_layer_sizes
            hidden = (hidden,) if isinstance(hidden, int | np.integer) else tuple(hidden)
            graph = layered((n_features, *hidden, n_outputs))
            if self.intralayer:
                graph = add_intralayer(graph)
            return rewire(graph, self.p, seed=seed) if self.p else graph
        if isinstance(self.graph, LayeredGraph):
            if chosen:
                raise InputError(
                    "inputs, outputs: those of a LayeredGraph are its first and last layer; "
                    "leave them out"
                )
            return self.graph
        if hasattr(self.graph, "is_multigraph"):
            return LayeredGraph.from_networkx(self.graph, self.inputs, self.outputs)
        raise InputError(
            f"graph: a {type(self.graph).__name__}; give a LayeredGraph or a networkx graph"
        )

    def _training_config(self) -> TrainingConfig:
        return TrainingConfig.paper(
            learning_rate=self.learning_rate,
            beta=self.beta,
            batch_size=self.batch_size,
            relaxation=self.relaxation,
            free_steps=self.free_steps,
            nudged_steps=self.nudged_steps,
            seed=self._seed(),
        )

    def _seed(self) -> int:
        return int(self._random_state.randint(2**31))

    def _split(self, features: npt.NDArray, targets: npt.NDArray) -> Dataset:
        """All for training, or a share set apart to see when to stop."""
        test = np.empty(0, np.intp)
        train = np.arange(len(features))
        if self.early_stopping:
            labels = targets.argmax(axis=1) if self._task == "classification" else None
            train, test = train_test_split(
                train,
                test_size=self.validation_fraction,
                random_state=self._random_state,
                stratify=labels,
            )
            if len(test) < 2:
                raise InputError(
                    f"validation_fraction: {self.validation_fraction} of {len(features)} examples "
                    "is less than 2 examples; raise it"
                )
        return Dataset(
            "this data",
            self._task,
            *(features[train], targets[train], features[test], targets[test]),
            sha256={},
        )

    def _log(self, record: EpochRecord, data: Dataset) -> float:
        """Note an epoch, and give the value that has to fall for the fit to go on."""
        value = record.training_cost
        self.loss_curve_.append(value)
        line = f"Epoch {self.n_iter_}, loss = {value:.6f}"
        if self.validation_scores_ is not None:
            score = 1 - record.test_error
            if self._task == "regression":
                deviation = data.y_test - data.y_test.mean(axis=0)
                variance = float(np.square(deviation).sum(axis=1).mean())
                score = 1 - record.test_cost / variance if variance else -record.test_cost
            self.validation_scores_.append(score)
            line += f", validation score = {score:.6f}"
            value = -score
        if self.verbose:
            print(line, flush=True)  # noqa: T201 what scikit-learn's `verbose` promises
        return value

    def _warn_of_unrest(self, last: EpochRecord, data: Dataset) -> None:
        """Warn where the free phase no longer ends, or always ends in silence."""
        n_train = len(data.x_train)
        problem = ""
        if last.unconverged > n_train / 2 and self.relaxation == "sor":
            problem = (
                f"{last.unconverged} of {n_train} examples did not settle in the last epoch; "
                f"lower the learning rate (it is {self.learning_rate})"
            )
        # What it costs to say 0 whatever the example.
        silence = float(np.square(data.y_train).sum(axis=1).mean())
        if abs(last.training_cost - silence) < 1e-6:
            problem = (
                "all outputs were silent throughout the last epoch, and nothing is learned any "
                f"more; raise p (it is {self.p}) or beta (it is {self.beta})"
            )
        if problem:
            warnings.warn(problem, ConvergenceWarning, stacklevel=4)

    def _scaled(self, features: npt.NDArray) -> npt.NDArray[np.float32]:
        """Features as the input nodes take them, in [0, 1]."""
        if self.scaler_ is not None:
            features = self.scaler_.transform(features)
        return np.clip(features, 0, 1).astype(np.float32)

    def _outputs(self, X: Any) -> npt.NDArray[np.float64]:
        """States of the output nodes when the network has settled, shape (n_samples, n_outputs)."""
        check_is_fitted(self)
        features = dense(validate_data(self, X, accept_sparse="csr", reset=False))
        inputs = self._scaled(features).astype(np.float64)
        network = Network(
            self.graph_, self.network_.weights, self.network_.biases, dtype=np.float64
        )
        solver: Solver = PREDICTION
        if self.relaxation == "euler":
            solver = Euler(self.free_steps)
        outputs = np.empty((len(inputs), self.graph_.layer_sizes[-1]))
        with threads(network, effective_n_jobs(self.n_jobs)):
            for start in range(0, len(outputs), EVALUATION_BATCH):
                part = slice(start, start + EVALUATION_BATCH)
                drive = network.circuit.drive(inputs[part])
                state = solver.relax(network.circuit, drive, np.zeros_like(drive)).state
                outputs[part] = state[:, network.output]
        return outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def slower(optimiser: Any) -> Any:
    """The optimiser with all learning rates divided by `DROP`."""
    rate = optimiser.learning_rate
    less = tuple(each / DROP for each in rate) if isinstance(rate, tuple) else rate / DROP
    return dataclasses.replace(optimiser, learning_rate=less)


def dense(features: Any) -> npt.NDArray:
    """Features as an array: every input node has a state, whether its feature is zero or not."""
    return np.asarray(features.toarray() if sparse.issparse(features) else features)  # type: ignore[attr-defined]
