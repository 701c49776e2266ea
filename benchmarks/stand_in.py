"""Generated data of the size and the sparsity of MNIST, where the real one cannot be fetched."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop import Dataset

__all__ = ["stand_in"]

N_PIXELS, N_CLASSES = 784, 10
#: Pixels that are mostly on in a class, how often they are, and how often any other one is. In the
#: mean 149 pixels of an image are on, a share of 0.19 as in MNIST.
TYPICAL, ON, STRAY = 160, 0.75, 0.047


def stand_in(n_train: int = 60_000, n_test: int = 10_000, seed: int = 0) -> Dataset:
    """Ten classes of images, each with pixels of its own that are mostly on.

    Parameters
    ----------
    n_train, n_test : int
        Numbers of examples.
    seed : int

    Returns
    -------
    Dataset
        The same for the same arguments. It is easily learned: errors say whether a network learns,
        and are not comparable with those on MNIST.
    """
    rng = np.random.default_rng(seed)
    share = np.full((N_CLASSES, N_PIXELS), STRAY, np.float32)
    for row in share:
        row[rng.choice(N_PIXELS, TYPICAL, replace=False)] = ON
    train, test = (_draw(share, n, rng) for n in (n_train, n_test))
    return Dataset("stand-in", "classification", *train, *test, sha256={})


def _draw(
    share: npt.NDArray[np.float32], n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    labels = rng.integers(N_CLASSES, size=n)
    on = rng.random((n, N_PIXELS), np.float32) < share[labels]
    images = np.where(on, 0.3 + 0.7 * rng.random((n, N_PIXELS), np.float32), np.float32(0))
    return images, np.eye(N_CLASSES, dtype=np.float32)[labels]
