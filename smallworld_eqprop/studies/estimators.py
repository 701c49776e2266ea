"""From a run folder to an estimator of scikit-learn, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from smallworld_eqprop.data.columns import Columns, Scaling
from smallworld_eqprop.data.handed import Handed
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.io import save_graph
from smallworld_eqprop.graphs.topology import File
from smallworld_eqprop.learning.estimator import EqPropClassifier
from smallworld_eqprop.learning.regressor import EqPropRegressor
from smallworld_eqprop.studies.columns import read_columns
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.folder import (
    lay_out,
    write_checkpoint,
    write_epoch,
    write_history,
)
from smallworld_eqprop.studies.integrity import seal
from smallworld_eqprop.studies.layout import holding
from smallworld_eqprop.studies.locking import one_writer
from smallworld_eqprop.studies.record import Run

__all__ = ["estimator_of", "run_of"]

# Inputs that were never scaled lie there.
AS_THEY_ARE = Scaling(low=-1.0, high=1.0)


def estimator_of(run: Run) -> EqPropClassifier | EqPropRegressor:
    """The trained network of a run as a fitted estimator; see `Run.estimator`."""
    config = run.config.training
    if config.hardware.parts:
        raise InputError(
            "hardware: an estimator has no devices, and would give other outputs than the run; "
            "run.network() has the weights as the devices hold them"
        )
    columns = read_columns(run.folder, run.record.get("columns")) or Columns()
    kind = EqPropRegressor if run.config.regression else EqPropClassifier
    found: Any = kind(
        graph=run.graph,
        gain=config.initial.gain,
        batch_size=config.batch_size,
        max_iter=max(len(run.history), 1),
        scaling="none" if columns.inputs is None else "standard",
        random_state=config.seed,
        device=config.device,
        **{name: getattr(config, name) for name in ("model", "rule", "loss", "optimiser")},
        relaxation=config.relaxation,
    )
    n_outputs = run.graph.layer_sizes[-1]
    if run.config.regression:
        found.target_scaler_ = columns.targets or Scaling()
        found._flat = n_outputs == 1
    else:
        classes = run.record["dataset"].get("classes") or range(n_outputs)
        found.classes_ = np.array(list(classes))
    if columns.features:
        found.feature_names_in_ = np.array(columns.features, object)
    found.n_features_in_ = run.graph.layer_sizes[0]
    found.graph_, found.scaler_ = run.graph, columns.inputs or AS_THEY_ARE
    found.loss_curve_ = run.history["training_cost"].tolist()
    found.n_iter_, found.validation_scores_ = len(found.loss_curve_), None
    found._take(run.network())
    return found


def run_of(estimator: Any, folder: Path) -> Run:
    """A fitted estimator as a run folder; see `Run.from_estimator`."""
    check_is_fitted(estimator)
    if getattr(estimator, "_kept", None) is None:
        raise InputError(
            "estimator: comes from a run, which already has a folder; fit it, or copy the folder"
        )
    if holding(folder) != "nothing":
        raise InputError(f"{folder}: holds a run already; name another folder")
    with one_writer(folder):
        return _write(estimator, folder)


def _write(estimator: Any, folder: Path) -> Run:
    kept, graph = estimator._kept, estimator.graph_
    facts = dict(kept.facts)
    if estimator._task == "classification":
        facts["classes"] = estimator.classes_.tolist()
    save_graph(graph, folder / "graph.npz")  # the topology of the run
    config = RunConfig(
        name=type(estimator).__name__,
        topology=File(str(folder / "graph.npz")),
        data=Handed(facts["sha256"]["arrays"], estimator._task),
        training=kept.config,
    )
    names = tuple(getattr(estimator, "feature_names_in_", ()))
    columns = Columns(names, (), estimator.scaler_, getattr(estimator, "target_scaler_", None))
    apart = estimator.validation_scores_ is not None
    notes = ["test errors are those of the examples that early_stopping set apart"] if apart else []
    about = {"threads": 1, "dataset": facts, "notes": notes}
    lay_out(folder, config, graph, columns, about | {"pairs": kept.pairs, "kinds": kept.kinds})
    both = zip(estimator.corrections_, estimator._errors, strict=True)
    for epoch, (corrections, errors) in enumerate(both, start=1):
        write_epoch(folder, epoch, corrections, errors)
    arrays, values = kept.state
    # With early stopping the estimator went back to an earlier epoch than the last.
    network = estimator.network_
    arrays = arrays | {"weights": network.weights, "biases": network.biases}
    history = [vars(record) for record in estimator.history_]
    write_checkpoint(
        folder / "checkpoint.npz", config.key, (arrays, values | {"history": history}), []
    )
    write_history(folder, estimator.history_, validated=False)
    seal(folder, len(estimator.history_))
    return Run(folder)
