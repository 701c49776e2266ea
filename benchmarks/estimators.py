"""The estimators with their defaults beside scikit-learn's MLP with its own, on nine data sets.

    python benchmarks/estimators.py
    python benchmarks/estimators.py --data iris moons --seeds 0

Prints the table of docs/estimators.md and writes results/estimators.csv, a row for every data set,
p and seed. Both take the same features: standardised, but for counts of words, which are sparse
and stay as they are. Times are ratios of processor time within this run, on one thread.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from smallworld_eqprop import EqPropClassifier, EqPropRegressor
from smallworld_eqprop.files import atomic_writer

TABLE = Path(__file__).resolve().parents[1] / "results" / "estimators.csv"
SHARES = (0.0, 0.1)
#: How often a score is taken, of which the fastest counts.
TIMES = 5


def words(n: int = 2000, vocabulary: int = 2000, topics: int = 20) -> tuple[Any, Any]:
    """Counts of words in texts, each on one topic among words that all of them have."""
    rng = np.random.default_rng(0)
    common = 1 / np.arange(1, vocabulary + 1)
    common /= common.sum()
    own = rng.dirichlet(np.full(vocabulary, 0.05), topics)
    y = rng.integers(topics, size=n)
    share = rng.uniform(0.1, 0.4, n)
    lengths = rng.poisson(60, n) + 5
    rows = [
        rng.multinomial(length, mixed * own[topic] + (1 - mixed) * common)
        for length, mixed, topic in zip(lengths, share, y, strict=True)
    ]
    return sparse.csr_array(np.array(rows, float)), y


DATA = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "moons": lambda: datasets.make_moons(1000, noise=0.15, random_state=0),
    "95 : 5": lambda: datasets.make_classification(
        2000, 20, n_informative=6, weights=[0.95], random_state=0
    ),
    "20 classes": lambda: datasets.make_classification(
        4000,
        40,
        n_informative=20,
        n_classes=20,
        n_clusters_per_class=1,
        class_sep=1.5,
        random_state=0,
    ),
    "words, 20 topics": words,
    "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
}


def measure(model: Any, parts: list[Any]) -> dict[str, float]:
    """Fit on the training part and score on the other: score, log-loss and seconds."""
    X, X_test, y, y_test = parts
    begin = time.process_time()
    model.fit(X, y)
    found = {"fit": time.process_time() - begin, "score_time": np.inf}
    for _ in range(TIMES):
        begin = time.process_time()
        found["score"] = 100 * model.score(X_test, y_test)
        found["score_time"] = min(found["score_time"], time.process_time() - begin)
    found["log_loss"] = np.nan
    if hasattr(model, "predict_proba"):
        found["log_loss"] = log_loss(y_test, model.predict_proba(X_test))
    return found


def compare(name: str, seed: int) -> list[dict[str, Any]]:
    """One data set split by one seed: a row for every p."""
    X, y = DATA[name]()
    regression = name == "diabetes"
    parts = train_test_split(
        X, y, test_size=0.25, random_state=seed, stratify=None if regression else y
    )
    if not sparse.issparse(X):
        scaler = StandardScaler().fit(parts[0])
        parts[:2] = [scaler.transform(part) for part in parts[:2]]
    peer = measure((MLPRegressor if regression else MLPClassifier)(random_state=seed), parts)
    linear = np.nan if regression else measure(LogisticRegression(), parts)["log_loss"]
    rows = []
    for p in SHARES:
        kind = EqPropRegressor if regression else EqPropClassifier
        own = measure(kind(p=p, random_state=seed), parts)
        rows.append(
            {
                "data": name,
                "p": p,
                "seed": seed,
                "score": own["score"],
                "mlp_score": peer["score"],
                "log_loss": own["log_loss"],
                "mlp_log_loss": peer["log_loss"],
                "logistic_log_loss": linear,
                "fit_ratio": own["fit"] / peer["fit"],
                "score_ratio": own["score_time"] / peer["score_time"],
            }
        )
    return rows


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Means over the seeds, as the page shows them."""
    found = []
    for (name, p), part in rows.groupby(["data", "p"], sort=False):
        mean = part.mean(numeric_only=True)
        losses = (mean["log_loss"], mean["mlp_log_loss"], mean["logistic_log_loss"])
        found.append(
            {
                "data": name,
                "p": f"{p:g}",
                "score (%)": f"{mean['score']:.1f}",
                "worst seed": f"{part['score'].min():.1f}",
                "MLP": f"{mean['mlp_score']:.1f}",
                "log-loss, MLP, logistic": ""
                if np.isnan(losses[0])
                else ", ".join(f"{loss:.3f}" for loss in losses),
                "time of a fit": f"{mean['fit_ratio']:.1f}",
                "time of a score": f"{mean['score_ratio']:.1f}",
            }
        )
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", choices=list(DATA), default=list(DATA))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's MLP stops before it has converged
    rows: list[dict[str, Any]] = []
    with threadpool_limits(1):
        compare("iris", 0)  # compiles what is compiled
        for name in options.data:
            for seed in options.seeds:
                rows += compare(name, seed)
    table = pd.DataFrame(rows)
    with atomic_writer(options.out) as file:
        table.to_csv(file, index=False, float_format="%.4f")
    print(summary(table).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main()
