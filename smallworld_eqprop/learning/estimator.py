"""Equilibrium propagation as a classifier of scikit-learn."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.fitting import EqPropEstimator

__all__ = ["EqPropClassifier"]


class EqPropClassifier(ClassifierMixin, EqPropEstimator):
    r"""Classifier: a network of any topology, trained by equilibrium propagation.

    Every class has an output node. With the default loss the outputs read the other nodes, and
    their softmax estimates the probabilities of the classes.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Nodes of every hidden layer, where no `graph` is given.
    p : float
        Share of the connections that is moved to layer-skipping places, see `rewire`; 0 for a
        layered network.
    intralayer : bool
        Connect every hidden layer fully inside, before rewiring.
    graph : LayeredGraph or networkx.Graph, optional
        The network itself, in place of the three parameters above. Its inputs take the features,
        in order, and its outputs stand for the classes (sorted) or the columns of y. A classifier
        may have more outputs than classes; the last ones then stand for none.
    inputs, outputs : sequence of node, optional
        Which nodes of a networkx graph are inputs and outputs, see `LayeredGraph.from_networkx`.
    feedback : float
        How much of a signal from the outputs passes each layer, see `WeakFeedback`; 1 for the
        paper's network.
    gain : float
        Factor of the initial weights, see `Initial`.
    learning_rate : float
        Of Adam. In `fit` it falls to 0 along half a cosine, in `partial_fit` it stays.
    decay : float
        Weight decay of Adam, times the learning rate.
    batch_size : int or "auto"
        Examples of a step. "auto" is 100, or half of the examples where they are fewer than 200.
    max_iter : int
        Number of epochs.
    scaling : {"standard", "none"}
        "standard" takes every feature relative to its mean, and cuts it at three standard
        deviations. "none" takes features as they are, which have to be from -1 to 1.
    model : Model, optional
        The physics, in place of ``WeakFeedback(feedback=feedback, linear_outputs=True)``.
    rule : Rule, optional
        The learning rule, in place of ``Centred(0.25, Sweeps(1))``.
    loss : Loss, optional
        In place of `CrossEntropy` for classes, or `SquaredError` for a regression and where edges
        join two outputs.
    optimiser : Optimiser, optional
        In place of Adam with the learning rate and the decay.
    relaxation : Solver, optional
        How a network settles, in place of ``Sweeps(2)``; for predictions as well.
    early_stopping : bool
        Reserve a share of the examples, stop when their score no longer improves, and restore the
        weights with the best score.
    validation_fraction : float
        Share of the examples reserved for `early_stopping`, stratified by class.
    n_iter_no_change : int
        Epochs without improvement after which `early_stopping` ends the fit.
    tol : float
        What counts as an improvement of the validation score.
    warm_start : bool
        Let `fit` start from the weights of the last fit. The parameters that decide which network
        is trained must be the same then.
    device : str
        Where it trains: "numpy", or by torch on "cpu", "cuda" or "cuda:N". Predictions are made
        by NumPy in any case.
    n_jobs : int or None
        Threads that share the examples of a batch, as in scikit-learn: None is 1, -1 all cores. The
        results do not depend on it, except in networks of more than 4096 free nodes.
    random_state : int, RandomState or None
        Of rewiring, initial weights, order of the examples, and validation split.
    verbose : bool
        Print a line per epoch.
    class_weight : dict, "balanced" or None
        How much the examples of every class count, as in scikit-learn.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    graph_ : LayeredGraph
        The network that was trained.
    network_ : Network
        Its weights and biases.
    scaler_ : Scaling
        How features become states of the input nodes.
    history_ : list of EpochRecord
        The record of every epoch, over all calls.
    corrections_ : list of ndarray, shape (n_batches, n_pairs)
        RMS correction of every layer pair in every batch, one array an epoch.
    loss_curve_ : list of float
        Mean loss per epoch, over all calls, counted before each batch's update.
    validation_scores_ : list of float or None
        Accuracy on the examples reserved by `early_stopping`, per epoch.
    n_iter_ : int
        Epochs of the last call.
    n_features_in_ : int
    feature_names_in_ : ndarray, shape (n_features_in_,)
        If X had column names that are strings.

    Notes
    -----
    A sparse X stays sparse: only the rows of a batch become an array at a time. On torch all of
    it becomes one.

    A fit goes through its batches one after the other. Where several fits are to be done,
    ``n_jobs`` of `cross_val_score` and `GridSearchCV`, which runs them side by side, gains more
    than that of the estimator.

    References
    ----------
    Scellier and Bengio, "Equilibrium propagation", Front. Comput. Neurosci. 11:24 (2017),
    doi:10.3389/fncom.2017.00024. Gammell, Buckley, Nam and McCaughan, Front. Comput. Neurosci.
    15:627357 (2021), doi:10.3389/fncom.2021.627357 (the rewired topology).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> EqPropClassifier(random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    _task: Literal["classification"] = "classification"

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        p: float = 0.1,
        intralayer: bool = False,
        graph: Any = None,
        inputs: Any = None,
        outputs: Any = None,
        feedback: float = 0.1,
        gain: float = 1.5,
        learning_rate: float = 0.01,
        decay: float = 0.2,
        batch_size: Any = "auto",
        max_iter: int = 60,
        scaling: Any = "standard",
        model: Any = None,
        rule: Any = None,
        loss: Any = None,
        optimiser: Any = None,
        relaxation: Any = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        device: str = "numpy",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
        class_weight: Any = None,
    ) -> None:
        # scikit-learn reads the parameters of an estimator from its own signature.
        shared = {name: value for name, value in locals().items() if name in SHARED}
        super().__init__(**shared)
        self.class_weight = class_weight

    def partial_fit(
        self, X: Any, y: Any, classes: npt.ArrayLike | None = None, sample_weight: Any = None
    ) -> Self:
        """Go through these examples once more, or for the first time.

        The optimiser keeps its state from the last call and uses a constant learning rate. Mean and
        deviation of the features are those of all examples so far, so that values outside the range
        of the first call are not lost; the same example may be predicted differently after it.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)
        classes : array_like, shape (n_classes,), optional
            All classes there will ever be; needed in the first call.
        sample_weight : array_like, shape (n_samples,), optional
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If `classes` is missing in the first call or differs from it later, y has another
            class, or `early_stopping` is on.
        """
        fresh = not hasattr(self, "network_")
        if classes is not None:
            classes = np.unique(classes)
            if not fresh and not np.array_equal(classes, self.classes_):
                raise InputError(
                    f"classes: {classes} is not the same as on the first call, {self.classes_}"
                )
        elif fresh:
            raise InputError("classes: must be given in the first call of partial_fit")
        return self._once(*self._read(X, y, fresh, classes), sample_weight, fresh=fresh)

    def _read(
        self, X: Any, y: Any, fresh: bool, classes: npt.NDArray | None = None
    ) -> tuple[Any, npt.NDArray]:
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, reset=fresh)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if fresh:
            self.classes_ = np.unique(y) if classes is None else classes
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise InputError(f"y: {unknown[0]!r} is none of the classes {self.classes_}")
        return X, np.eye(len(self.classes_), dtype=np.float32)[np.searchsorted(self.classes_, y)]

    def _counts(self, targets: npt.NDArray) -> npt.NDArray | None:
        if self.class_weight is None:
            return None
        labels = self.classes_[targets.argmax(axis=1)]
        # Balanced over the classes that are there: in partial_fit some may be missing.
        present = np.unique(labels)
        counts = compute_class_weight(self.class_weight, classes=present, y=labels)
        return counts[np.searchsorted(present, labels)]

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Outputs of every example, shape (n_samples, n_classes).

        Of two classes the output of the second minus that of the first, shape (n_samples,).
        """
        outputs = self._outputs(X)[:, : len(self.classes_)]
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict(self, X: Any) -> npt.NDArray:
        """Class with the largest output, of every example; shape (n_samples,)."""
        outputs = self._outputs(X)[:, : len(self.classes_)]
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities of the classes, shape (n_samples, n_classes).

        The softmax of the outputs where they are outside the energy, as by default. Other outputs
        are trained to be 1 or 0: they are cut there and divided by their sum, and classes are
        equally probable where all are 0.
        """
        outputs = self._outputs(X)[:, : len(self.classes_)]
        if self.network_.model.readout:
            return softmax(outputs, axis=1)
        outputs = np.clip(outputs, 0, 1)
        total = outputs.sum(axis=1, keepdims=True)
        equal = np.full_like(outputs, 1 / outputs.shape[1])
        return np.divide(outputs, total, out=equal, where=total > 0)


#: Parameters that both estimators have.
SHARED = EqPropEstimator._get_param_names()
