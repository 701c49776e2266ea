"""Equilibrium propagation as a regressor of scikit-learn."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import validate_data

from smallworld_eqprop.data.columns import Scaling
from smallworld_eqprop.learning.fitting import EqPropEstimator

__all__ = ["EqPropRegressor"]


class EqPropRegressor(RegressorMixin, EqPropEstimator):
    """Regressor: as `EqPropClassifier`, with one output node for every column of y.

    It has the parameters of `EqPropClassifier` except `class_weight`. Targets are taken relative to
    their mean and standard deviation; outputs have no bounds.

    References
    ----------
    Scellier and Bengio, "Equilibrium propagation", Front. Comput. Neurosci. 11:24 (2017),
    doi:10.3389/fncom.2017.00024.
    """

    _task: Literal["regression"] = "regression"

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through these examples once more, or for the first time.

        As `EqPropClassifier.partial_fit`; the scaling of y is that of the first call.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
        y : array_like, shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array_like, shape (n_samples,), optional
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If `early_stopping` is on.
        """
        fresh = not hasattr(self, "network_")
        return self._once(*self._read(X, y, fresh), sample_weight, fresh=fresh)

    def _read(self, X: Any, y: Any, fresh: bool) -> tuple[Any, npt.NDArray]:
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True, reset=fresh
        )
        columns = y.reshape(len(y), -1)
        if fresh:
            found = StandardScaler().fit(columns)
            self.target_scaler_ = Scaling(found.mean_, found.scale_)
            self._flat = y.ndim == 1
        return X, self.target_scaler_.forward(columns).astype(np.float32)

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Outputs of every example in the units of y; shape as that of y."""
        outputs = self._outputs(X)
        values = np.asarray(self.target_scaler_.back(outputs), np.float64)
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
