"""Digits by cross-validation: equilibrium propagation beside backpropagation, and their times.

    python benchmarks/bench_estimator.py

Prints the table of docs/estimators.md. All networks have the same layers, 64-100-100-10; whatever
is not named is as the estimators have it by default. Times are ratios within this run, on one
thread.
"""

from __future__ import annotations

import warnings

import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from smallworld_eqprop import EqPropClassifier

HIDDEN = (100, 100)
FOLDS = 5

MODELS = {
    "EqPropClassifier, layered (p = 0)": EqPropClassifier(HIDDEN, p=0, random_state=0),
    "EqPropClassifier, rewired (p = 0.1)": EqPropClassifier(HIDDEN, p=0.1, random_state=0),
    "MLPClassifier": MLPClassifier(HIDDEN, random_state=0),
}


def measure(model: ClassifierMixin) -> dict[str, float]:
    """Mean and standard deviation over the folds."""
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    found = cross_validate(model, X / 16, y, cv=folds, return_estimator=True)
    epochs = [estimator.n_iter_ for estimator in found["estimator"]]
    return {
        "accuracy": 100 * found["test_score"].mean(),
        "deviation": 100 * found["test_score"].std(ddof=1),
        "epochs": sum(epochs) / FOLDS,
        "fit": found["fit_time"].mean(),
        "score": found["score_time"].mean(),
    }


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        table = pd.DataFrame({name: measure(model) for name, model in MODELS.items()}).T
    last = table.iloc[-1]
    shown = pd.DataFrame(
        {
            "accuracy (%)": [
                f"{row.accuracy:.1f} ± {row.deviation:.1f}" for row in table.itertuples()
            ],
            "epochs": table["epochs"].round().astype(int),
            "time of a fit": [f"{ratio:.1f}" for ratio in table["fit"] / last["fit"]],
            "time of a score": [f"{ratio:.1f}" for ratio in table["score"] / last["score"]],
        },
        index=table.index.rename("estimator"),
    )
    print(shown.to_markdown(disable_numparse=True))


if __name__ == "__main__":
    main()
