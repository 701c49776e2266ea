"""What the parameters of an estimator mean: a graph, a way of learning, inputs from features."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from smallworld_eqprop.data.columns import Columns, Scaling
from smallworld_eqprop.data.dataset import Dataset
from smallworld_eqprop.data.rows import SparseRows
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.models import Model, WeakFeedback
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.losses import CrossEntropy, Loss, SquaredError
from smallworld_eqprop.learning.optimisers import Adam, Optimiser
from smallworld_eqprop.learning.rules import Centred, Rule
from smallworld_eqprop.learning.schedules import Cosine
from smallworld_eqprop.parts import Repeats, check_type

__all__ = [
    "RELAXATION",
    "check_parameters",
    "check_same_network",
    "data_of",
    "graph_of",
    "inputs_of",
    "mostly_zero",
    "network_parameters",
    "spread",
    "training_of",
]

# Features further than so many standard deviations from the mean are cut there.
SPREAD = 3.0
# Examples of a batch at most; small data have two batches an epoch.
BATCH = 100
RULE, RELAXATION = Centred(0.25, Sweeps(1)), Sweeps(2)


#: What a parameter of an estimator may be, where nothing else checks it.
TYPES: dict[str, Any] = {
    **dict.fromkeys(("p", "feedback", "gain", "learning_rate", "decay"), float),
    **dict.fromkeys(("validation_fraction", "tol"), float),
    **dict.fromkeys(("max_iter", "n_iter_no_change"), Repeats),
    **dict.fromkeys(("intralayer", "early_stopping", "warm_start"), bool),
    "hidden_layer_sizes": int | tuple[int, ...],
    "batch_size": int | Literal["auto"],
    "scaling": Literal["standard", "none"],
    "verbose": bool | int,
    "n_jobs": int | None,
    "model": Model | None,
    "rule": Rule | None,
    "loss": Loss | None,
    "optimiser": Optimiser | None,
    "relaxation": Solver | None,
}
#: Parameters that decide which network is trained.
NETWORK = ("hidden_layer_sizes", "p", "intralayer", "graph", "inputs", "outputs")


def check_parameters(estimator: Any) -> None:
    """Refuse bad values of parameters that neither the graph nor `TrainingConfig` checks.

    Raises
    ------
    InputError
        Naming the parameter and what it may be.
    """
    for name, hint in TYPES.items():
        value = getattr(estimator, name)
        check_type(name, value.tolist() if isinstance(value, np.ndarray) else value, hint)
    if not estimator.tol >= 0:
        raise InputError(f"tol: {estimator.tol}, must be at least 0")
    if not 0 < estimator.validation_fraction < 1:
        raise InputError(
            f"validation_fraction: {estimator.validation_fraction}, must be between 0 and 1"
        )


def network_parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator that decide which network is trained."""
    found = {name: getattr(estimator, name) for name in NETWORK}
    hidden = found["hidden_layer_sizes"]
    found["hidden_layer_sizes"] = tuple(np.atleast_1d(hidden).tolist())
    return found


def check_same_network(estimator: Any, before: dict[str, Any]) -> None:
    """Refuse to go on with a network whose parameters have changed.

    Parameters
    ----------
    estimator : EqPropEstimator
    before : dict
        `network_parameters` of the call that made the network.

    Raises
    ------
    InputError
    """
    for name, value in network_parameters(estimator).items():
        old = before[name]
        if value is not old and not np.array_equal(value, old):
            raise InputError(
                f"{name}: {value!r:.60}, but the network that is to be trained further was made "
                f"with {old!r:.60}; give that again, or fit with warm_start=False"
            )


def graph_of(estimator: Any, n_features: int, n_outputs: int, seed: int) -> LayeredGraph:
    """The network that an estimator is asked for.

    Parameters
    ----------
    estimator : EqPropEstimator
    n_features, n_outputs : int
        Nodes of the first and last layer, where no graph is given.
    seed : int
        Of rewiring.

    Raises
    ------
    InputError
        If the parameters contradict each other, or `graph` is none.
    """
    graph, chosen = estimator.graph, (estimator.inputs, estimator.outputs) != (None, None)
    if graph is None:
        if chosen:
            raise InputError("inputs, outputs: given without a graph; give graph as well")
        hidden = estimator.hidden_layer_sizes
        hidden = (hidden,) if isinstance(hidden, int | np.integer) else tuple(hidden)
        model = estimator.model or Model()
        n_inputs = model.clamped(np.zeros((1, n_features), np.float32)).shape[1]
        found = layered((n_inputs, *hidden, n_outputs))
        if estimator.intralayer:
            found = add_intralayer(found)
        return rewire(found, estimator.p, seed=seed) if estimator.p else found
    if isinstance(graph, LayeredGraph):
        if chosen:
            raise InputError(
                "inputs, outputs: those of a LayeredGraph are its first and last layer; "
                "leave them out"
            )
        return graph
    if hasattr(graph, "is_multigraph"):
        return LayeredGraph.from_networkx(graph, estimator.inputs, estimator.outputs)
    raise InputError(f"graph: a {type(graph).__name__}; give a LayeredGraph or a networkx graph")


def training_of(
    estimator: Any, graph: LayeredGraph, n_examples: int, seed: int, *, once: bool
) -> TrainingConfig:
    """How an estimator learns.

    Parameters
    ----------
    estimator : EqPropEstimator
    graph : LayeredGraph
    n_examples : int
    seed : int
    once : bool
        Whether the examples are gone through once, so that nobody knows how many epochs come.
    """
    loss = estimator.loss or default_loss(estimator, graph)
    model, rate = estimator.model, estimator.learning_rate
    if model is None:
        model = WeakFeedback(feedback=estimator.feedback, linear_outputs=True, readout=loss.readout)
    if not once:
        rate = Cosine(rate, epochs=estimator.max_iter)
    size = estimator.batch_size
    return TrainingConfig(
        model=model,
        rule=estimator.rule or RULE,
        loss=loss,
        optimiser=estimator.optimiser or Adam(rate, decay=estimator.decay),
        relaxation=estimator.relaxation or RELAXATION,
        initial=Initial(gain=estimator.gain),
        batch_size=max(1, min(BATCH, -(-n_examples // 2))) if size == "auto" else size,
        start="rest",
        seed=seed,
        device=estimator.device,
    )


def default_loss(estimator: Any, graph: LayeredGraph) -> Loss:
    """Cross-entropy of classes, where no edge joins two outputs: it takes them as a reading."""
    ends = graph.layers[graph.edges] == graph.n_layers - 1
    readable = not ends.all(axis=1).any()
    return CrossEntropy() if estimator._task == "classification" and readable else SquaredError()


def mostly_zero(X: Any) -> npt.NDArray[np.bool_]:
    """Features that are 0 in more than half of the examples, shape (n_features,)."""
    filled = np.count_nonzero(X, axis=0) if isinstance(X, np.ndarray) else (X != 0).sum(axis=0)
    return np.ravel(filled) < X.shape[0] / 2


def spread(statistics: StandardScaler, at_zero: npt.NDArray[np.bool_]) -> Scaling:
    """Features as inputs: `SPREAD` standard deviations from the center are -1 and 1.

    Parameters
    ----------
    statistics : StandardScaler
        Of the features.
    at_zero : ndarray of bool, shape (n_features,)
        Features whose center is 0, so that they stay 0 where they are; of others it is the mean.
    """
    center = np.where(at_zero, 0.0, statistics.mean_)
    return Scaling(center, SPREAD * statistics.scale_, -1.0, 1.0)


def inputs_of(features: Any, scaling: Scaling) -> SparseRows | npt.NDArray[np.float32]:
    """Inputs of these features; what is sparse becomes an array batch by batch."""
    if sparse.issparse(features):
        return SparseRows(features, scaling)
    found: npt.NDArray[np.float32] = scaling.forward(np.asarray(features)).astype(np.float32)
    return found


def data_of(estimator: Any, X: Any, targets: npt.NDArray, weights: npt.NDArray | None) -> Dataset:
    """All examples for training, or a share set apart to see when to stop.

    Parameters
    ----------
    estimator : EqPropEstimator
    X : array or sparse matrix, shape (n_examples, n_features)
    targets : ndarray, shape (n_examples, n_outputs)
    weights : ndarray, shape (n_examples,), optional

    Raises
    ------
    InputError
        If the share is less than two examples.
    """
    n, task = len(targets), estimator._task
    train, test = np.arange(n), np.empty(0, np.intp)
    if estimator.early_stopping:
        labels = targets.argmax(axis=1) if task == "classification" else None
        train, test = train_test_split(
            train,
            test_size=estimator.validation_fraction,
            random_state=estimator._random_state,
            stratify=labels,
        )
        if len(test) < 2:
            raise InputError(
                f"validation_fraction: {estimator.validation_fraction} of {n} examples is less "
                "than 2 examples; raise it"
            )
    if weights is not None:
        weights = (weights[train] / weights[train].mean()).astype(np.float32)
    scaling, names = estimator.scaler_, getattr(estimator, "feature_names_in_", ())
    return Dataset(
        "this data",
        task,
        inputs_of(X[train], scaling),
        targets[train],
        inputs_of(X[test], scaling),
        targets[test],
        columns=Columns(tuple(names), (), scaling, getattr(estimator, "target_scaler_", None)),
        weights=weights,
    )
