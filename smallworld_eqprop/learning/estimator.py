"""Equilibrium propagation behind scikit-learn's interface."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.fitting import EqPropEstimator, dense

__all__ = ["EqPropClassifier", "EqPropRegressor"]


class EqPropClassifier(ClassifierMixin, EqPropEstimator):
    r"""Classifier: a network of any topology, trained by equilibrium propagation.

    Every class has an output node, which is trained to be 1 for its examples and 0 for others, so
    that its state estimates the probability of the class.

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
        in order, and its outputs stand for the classes (sorted) or the columns of y.
    inputs, outputs : sequence of node, optional
        Which nodes of a networkx graph are inputs and outputs, see `LayeredGraph.from_networkx`.
    learning_rate : float or tuple of float
        One rate for all, or one for every layer after the input.
    schedule : {"adaptive", "constant"}
        "adaptive" divides the rate by 5 when nothing has improved for `n_iter_no_change` epochs,
        and ends the fit when that happens the third time; "constant" ends it the first time.
    beta : float
        Strength of the nudge toward the target; its sign is drawn for every batch.
    batch_size : int
    relaxation : {"sor", "euler"}
        How the network settles: the fast method, or `free_steps` Euler steps as published.
    free_steps : int
        Only for "euler".
    nudged_steps : int
        Euler steps of the nudged phase. They are to be more than the network has layers: a
        correction goes one layer a step.
    max_iter : int
        Largest number of epochs.
    tol : float
        What counts as an improvement of the loss, or of the validation score.
    n_iter_no_change : int
        Epochs without improvement after which the rate falls or the fit ends, see `schedule`.
    early_stopping : bool
        Set a share of the examples apart, stop when their score no longer improves, and go back
        to the weights that had the best score. Without, the training loss decides.
    validation_fraction : float
        Share of the examples set apart for `early_stopping`, stratified by class.
    warm_start : bool
        Let `fit` go on from the weights of the last fit.
    n_jobs : int or None
        Threads that share the examples of a batch, as in scikit-learn: None is 1, -1 all cores.
        The numbers do not depend on it, but for networks of more than 4096 free nodes.
    random_state : int, RandomState or None
        Of rewiring, initial weights, order of the examples, signs of beta, and validation split.
    verbose : bool
        Print a line per epoch.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    graph_ : LayeredGraph
        The network that was trained.
    network_ : Network
        Its weights and biases.
    scaler_ : MinMaxScaler or None
        How features become states of the input nodes; None where they lay in [0, 1].
    loss_curve_ : list of float
        Mean squared distance of the outputs from the target, per epoch, over all calls.
    validation_scores_ : list of float or None
        Accuracy on the examples set apart by `early_stopping`, per epoch.
    n_iter_ : int
        Epochs of the last call.
    n_features_in_ : int
    feature_names_in_ : ndarray, shape (n_features_in_,)
        If X had column names that are strings.

    Notes
    -----
    Inputs live in [0, 1]. If all features lie there in the first fit they are taken as they are;
    otherwise each is scaled by the minimum and maximum it had in the first fit (or the first
    `partial_fit`). Later values outside are cut to the nearest end.

    The loss of an epoch is counted before each batch's update.

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

    def partial_fit(self, X: Any, y: Any, classes: npt.ArrayLike | None = None) -> Self:
        """Go through these examples once more, or for the first time.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,)
        classes : array_like, shape (n_classes,), optional
            All classes there will ever be; needed in the first call.

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
        return self._partial_fit(*self._read(X, y, fresh, classes), fresh)

    def _read(
        self,
        X: Any,
        y: Any,
        fresh: bool,
        classes: npt.NDArray | None = None,
    ) -> tuple[npt.NDArray, npt.NDArray]:
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, reset=fresh)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if fresh:
            self.classes_ = np.unique(y) if classes is None else classes
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise InputError(f"y: {unknown[0]!r} is none of the classes {self.classes_}")
        targets = np.eye(len(self.classes_), dtype=np.float32)[np.searchsorted(self.classes_, y)]
        return dense(X), targets

    def predict(self, X: Any) -> npt.NDArray:
        """Class with the largest output, of every example; shape (n_samples,)."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Outputs divided by their sum, shape (n_samples, n_classes).

        Outputs are cut at 0 and 1, so a probability may be exactly 0 or 1. Where all outputs are
        0 the classes are equally probable.
        """
        outputs = self._outputs(X)
        total = outputs.sum(axis=1, keepdims=True)
        equal = np.full_like(outputs, 1 / outputs.shape[1])
        return np.divide(outputs, total, out=equal, where=total > 0)


class EqPropRegressor(RegressorMixin, EqPropEstimator):
    """Regressor: as `EqPropClassifier`, with one output node for every column of y.

    Parameters are those of `EqPropClassifier`. Targets are scaled to [0, 1] by the minimum and
    maximum of the first fit, and predictions back, so no prediction leaves that range.

    References
    ----------
    Scellier and Bengio, "Equilibrium propagation", Front. Comput. Neurosci. 11:24 (2017),
    doi:10.3389/fncom.2017.00024.
    """

    _task: Literal["regression"] = "regression"

    def partial_fit(self, X: Any, y: Any) -> Self:
        """Go through these examples once more, or for the first time.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,) or (n_samples, n_targets)

        Returns
        -------
        self

        Raises
        ------
        InputError
            If `early_stopping` is on.
        """
        fresh = not hasattr(self, "network_")
        return self._partial_fit(*self._read(X, y, fresh), fresh)

    def _read(self, X: Any, y: Any, fresh: bool) -> tuple[npt.NDArray, npt.NDArray]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True, reset=fresh
        )
        columns = y.reshape(len(y), -1)
        if fresh:
            self.target_scaler_ = MinMaxScaler(clip=True).fit(columns)
            self._flat = y.ndim == 1
        return dense(X), self.target_scaler_.transform(columns).astype(np.float32)

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Outputs of every example in the units of y; shape as that of y."""
        outputs = self._outputs(X)
        values = self.target_scaler_.inverse_transform(outputs)
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
