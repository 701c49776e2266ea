"""Transforms: what is done to the inputs of a training batch, anew in every epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Natural, Part, Positive
from smallworld_eqprop.specs import Slot

__all__ = ["TRANSFORM", "Chain", "Dropout", "Shift", "Transform", "transformed"]

Inputs = npt.NDArray[np.floating]


class Transform(Part):
    """Subclass it as a frozen dataclass, and write `apply`."""

    def apply(self, inputs: Inputs, generator: np.random.Generator) -> Inputs:
        """The inputs that are trained instead.

        Parameters
        ----------
        inputs : ndarray, shape (batch, n_inputs)
            To be left as they are.
        generator : numpy.random.Generator
            The only source of random numbers. Its seed is made of the seed of the run, the epoch
            and the batch, so that an interrupted run continues with the same numbers.

        Returns
        -------
        ndarray, shape (batch, n_inputs)
            Of the same dtype.

        Raises
        ------
        InputError
            If the transform does not fit the number of inputs.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Dropout(Transform):
    """Each input is set to 0 with the same probability; the other inputs are not rescaled.

    Parameters
    ----------
    rate : float
        The probability, at least 0 and below 1.

    Raises
    ------
    InputError
        If the rate is out of range.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise InputError(f"rate: {self.rate}, must be at least 0 and below 1")

    def apply(self, inputs: Inputs, generator: np.random.Generator) -> Inputs:
        """The inputs, some of them 0."""
        return inputs * (generator.random(inputs.shape, np.float32) >= self.rate)


@dataclass(frozen=True)
class Shift(Transform):
    """Each image is moved by whole pixels, vertically and horizontally; the free pixels become 0.

    Parameters
    ----------
    pixels : int
        The largest shift. Both shifts of an image are drawn evenly from -pixels to pixels.
    shape : tuple of int, optional
        Height and width of an image; a square when left out.

    Raises
    ------
    InputError
        If the number of pixels is negative or not below height and width.
    """

    pixels: Natural
    shape: tuple[Positive, ...] | None = None

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", tuple(self.shape))
            if len(self.shape) != 2 or any(type(n) is not int or n < 1 for n in self.shape):
                raise InputError(
                    f"shape: {list(self.shape)}, must be height and width, both at least 1"
                )
            self._check_size(*self.shape)

    def apply(self, inputs: Inputs, generator: np.random.Generator) -> Inputs:
        """The moved images, as rows."""
        batch, n_inputs = inputs.shape
        height, width = self._size(n_inputs)
        far = self.pixels
        padded = np.zeros((batch, height + 2 * far, width + 2 * far), inputs.dtype)
        padded[:, far : far + height, far : far + width] = inputs.reshape(batch, height, width)
        # Every image as it looks after each of the shifts, of which one is taken.
        moved = np.lib.stride_tricks.sliding_window_view(padded, (height, width), (1, 2))
        down, right = generator.integers(0, 2 * far + 1, (2, batch))
        return moved[np.arange(batch), down, right].reshape(batch, n_inputs)

    def _size(self, n_inputs: int) -> tuple[int, int]:
        """Height and width of an image of so many pixels."""
        if self.shape is not None:
            height, width = self.shape
            if height * width != n_inputs:
                raise InputError(
                    f"shape: {height} x {width} is {height * width} pixels, but the data have "
                    f"{n_inputs} features"
                )
            return height, width
        side = math.isqrt(n_inputs)
        if side**2 != n_inputs:
            raise InputError(
                f"shape: must be given, because {n_inputs} features are not a square image"
            )
        self._check_size(side, side)
        return side, side

    def _check_size(self, height: int, width: int) -> None:
        if self.pixels >= min(height, width):
            raise InputError(
                f"pixels: {self.pixels}, must be below height and width of the images, "
                f"{height} x {width}"
            )


@dataclass(frozen=True)
class Chain(Transform):
    """Several transforms, one after the other; without any the inputs do not change.

    Parameters
    ----------
    transforms : tuple of Transform
        The transforms, in the order in which they act.
    """

    transforms: tuple[Transform, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", tuple(self.transforms))
        for each in self.transforms:
            if not isinstance(each, Transform):
                raise InputError(f"transform: {each!r:.60}, must be a Transform")

    def apply(self, inputs: Inputs, generator: np.random.Generator) -> Inputs:
        """The inputs after all transforms."""
        for each in self.transforms:
            inputs = each.apply(inputs, generator)
        return inputs


def transformed(transform: Transform, inputs: Inputs, key: tuple[int, ...]) -> Inputs:
    """Inputs after a transform whose random numbers are made of a key.

    Raises
    ------
    InputError
        If the transform does not fit the inputs, or gives another shape.
    """
    found = transform.apply(inputs, np.random.default_rng(key))
    if np.shape(found) != inputs.shape:
        raise InputError(
            f"transform: {type(transform).__name__} gave shape {np.shape(found)}, must give "
            f"{inputs.shape}"
        )
    return found


#: What may stand under ``[transform]``; several ``[[transform]]`` are a chain.
TRANSFORM = Slot(
    "transform", Transform, {"dropout": Dropout, "shift": Shift, "chain": Chain}, several="chain"
)
