"""How a network learns, checked when it is made: what a run file says under its tables."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from smallworld_eqprop.data.transforms import TRANSFORM, Chain, Transform
from smallworld_eqprop.dynamics.devices import NUMPY, check_device_name
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.models import MODEL, Hopfield, Model
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware.base import Device
from smallworld_eqprop.hardware.chain import HARDWARE, Devices
from smallworld_eqprop.learning.clipping import Clipped
from smallworld_eqprop.learning.compatible import check_hardware, check_rewiring
from smallworld_eqprop.learning.losses import CrossEntropy, Loss, SquaredError
from smallworld_eqprop.learning.optimisers import SGD, Adam, Momentum, Optimiser
from smallworld_eqprop.learning.rewiring import REWIRE, Fixed, Rewiring
from smallworld_eqprop.learning.rules import (
    Adjoint,
    Centred,
    Contrastive,
    Coupled,
    OneSided,
    RandomSign,
    ReadoutOnly,
    Rule,
)
from smallworld_eqprop.learning.schedules import (
    Constant,
    Cosine,
    Exponential,
    Schedule,
    Steps,
    WarmUp,
)
from smallworld_eqprop.parts import Natural, Part, Positive, SeedNumber
from smallworld_eqprop.specs import Slot

__all__ = ["SLOTS", "TrainingConfig"]

#: What may stand under each table of a run file, and within such objects.
SLOTS = (
    MODEL,
    Slot(
        "rule",
        Rule,
        {
            "random-sign": RandomSign,
            "one-sided": OneSided,
            "centred": Centred,
            "contrastive": Contrastive,
            "coupled": Coupled,
            "adjoint": Adjoint,
            "readout-only": ReadoutOnly,
        },
    ),
    Slot("loss", Loss, {"squared-error": SquaredError, "cross-entropy": CrossEntropy}),
    Slot(
        "optimiser",
        Optimiser,
        {"sgd": SGD, "momentum": Momentum, "adam": Adam, "clipped": Clipped},
    ),
    Slot("relaxation", Solver, {"sor": SOR, "euler": Euler, "sweeps": Sweeps}),
    TRANSFORM,
    HARDWARE,
    REWIRE,
    Slot(
        "schedule",
        Schedule,
        {
            "constant": Constant,
            "cosine": Cosine,
            "exponential": Exponential,
            "steps": Steps,
            "warm-up": WarmUp,
        },
    ),
)

HOPFIELD, RULE, LOSS, DESCENT, SOLVER = Hopfield(), RandomSign(), SquaredError(), SGD(), SOR()
INITIAL, AS_THEY_ARE, IDEAL, FIXED = Initial(), Chain(), Devices(), Fixed()


@dataclass(frozen=True)
class TrainingConfig(Part):
    """How a network learns; the defaults are the paper's 3 x 500 protocol.

    Attributes
    ----------
    model : Model
        The physics of the network.
    rule : Rule
        The learning rule: the gradient of a batch.
    loss : Loss
    optimiser : Optimiser
        The step of the parameters for a gradient.
    relaxation : Solver
        Relaxes the free phase.
    initial : Initial
        The initial weights.
    transform : Transform, or sequence of Transform
        Changes to the inputs of every training batch; nothing when left out. Several are done one
        after the other.
    hardware : Device, or sequence of Device
        The devices of a chip; an ideal network when left out. Several act one after the other.
    rewire : Rewiring
        Edges that move while the network is trained; none when left out.
    batch_size : int
        Number of examples per step.
    start : {"particles", "rest"}
        Start of a free phase: the last state of the example (persistent particles), or rest.
    validation : int
        Number of training examples that are reserved for validation: the same share of every class,
        and the same examples for every seed. Their error is measured after every epoch instead of
        the test error.
    test : {"epochs", "end"}
        When the test error is measured: after every epoch, or once, after the last one. With
        `validation` it is measured only if this is "end".
    evaluation : Solver, optional
        The solver with which errors are measured after an epoch; `relaxation` when left out. A few
        sweeps are enough for learning, but the state may still be far from the fixed point.
    seed : int
        Seed of weights, order of examples, and draws of the rule, the transform and the hardware.
    device : str
        The device: "numpy" (on the processor), or "cpu", "cuda" or "cuda:N" with torch.

    Raises
    ------
    InputError
        If a part is not of its kind, or a value is not usable.
    """

    model: Model = HOPFIELD
    rule: Rule = RULE
    loss: Loss = LOSS
    optimiser: Optimiser = DESCENT
    relaxation: Solver = SOLVER
    initial: Initial = INITIAL
    transform: Transform = AS_THEY_ARE
    hardware: Device = IDEAL
    rewire: Rewiring = FIXED
    batch_size: Positive = 20
    start: Literal["particles", "rest"] = "particles"
    validation: Natural = 0
    test: Literal["epochs", "end"] = "epochs"
    evaluation: Solver | None = None
    seed: SeedNumber = 0
    device: str = NUMPY

    def __post_init__(self) -> None:
        for slot in (TRANSFORM, HARDWARE):
            if isinstance(several := getattr(self, slot.name), list | tuple):
                object.__setattr__(self, slot.name, slot.joined(several))
        bases = {slot.name: slot.base for slot in SLOTS} | {"initial": Initial}
        for name in PARTS:
            part = getattr(self, name)
            if not isinstance(part, bases[name]):
                raise InputError(f"{name}: {part!r:.60}, must be a {bases[name].__name__}")
        if not isinstance(self.evaluation, Solver | None):
            raise InputError(f"evaluation: {self.evaluation!r:.60}, must be a Solver")
        if self.loss.readout and not self.model.readout:
            raise InputError(
                f"loss: {type(self.loss).__name__} needs outputs outside the energy; set "
                "readout = true of the model, or take SquaredError"
            )
        if self.start not in ("particles", "rest"):
            raise InputError(f"start: {self.start!r}, allowed: particles, rest")
        if self.test not in ("epochs", "end"):
            raise InputError(f"test: {self.test!r}, allowed: epochs, end")
        check_device_name(self.device)
        check_hardware(self)
        check_rewiring(self)

    @classmethod
    def paper(
        cls,
        *,
        learning_rate: Any = 0.02,
        bias_rate: float | None = None,
        beta: float = 1.0,
        relaxation: Literal["sor", "euler"] = "sor",
        tolerance: float = 1e-3,
        max_sweeps: int = 500,
        free_steps: int = 500,
        nudged_steps: int = 8,
        step_size: float = 0.5,
        other_amplitude: float | None = None,
        **others: Any,
    ) -> Self:
        """The paper's recipe with other numbers.

        Parameters
        ----------
        learning_rate : float or sequence of float
            One rate for all, or one for every layer after the input, see `SGD`.
        bias_rate : float, optional
            Rate of all biases instead. The authors' per-layer runs in effect used 1.
        beta : float
            Strength of the nudge; its sign is drawn for every batch.
        relaxation : {"sor", "euler"}
            Free phase: the fast method, or the published one.
        tolerance, max_sweeps
            Of the fast method: residual asked for, and when to give up.
        free_steps, nudged_steps, step_size
            Euler steps of the free phase (published method only), of the nudged phase, and their
            size.
        other_amplitude : float, optional
            Initial amplitude on skip and intralayer edges, see `initial_weights`.
        **others
            Fields of `TrainingConfig`.
        """
        if relaxation not in ("sor", "euler"):
            raise InputError(f"relaxation: {relaxation!r}, allowed: sor, euler")
        fast, published = SOR(tolerance, max_sweeps), Euler(free_steps, step_size)
        return cls(
            rule=RandomSign(beta, Euler(nudged_steps, step_size)),
            optimiser=SGD(learning_rate, bias_rate),
            relaxation=fast if relaxation == "sor" else published,
            initial=Initial(other_amplitude=other_amplitude),
            **others,
        )

    def changed(self, **parts: Any) -> Self:
        """A copy with other fields, whether of this or of one of its parts.

        ``changed(seed=1, learning_rate=0.1, rule=Centred(0.1))``: a field of a part is named
        alone where no other part has one of that name.

        Raises
        ------
        InputError
            If no part or more than one has such a field, or a value is not usable.
        """
        found = dataclasses.replace(self, **{k: v for k, v in parts.items() if k in FIELDS})
        changes: dict[str, Any] = {}
        for name, value in parts.items():
            if name in FIELDS:
                continue
            owners = [
                part
                for part in PARTS
                if name in {field.name for field in dataclasses.fields(getattr(found, part))}
            ]
            if len(owners) != 1:
                told = f"fields of {', '.join(owners)}" if owners else "no field"
                raise InputError(f"{name}: {told}; give the whole part, one of {', '.join(PARTS)}")
            changes.setdefault(owners[0], {})[name] = value
        wholes = {
            part: dataclasses.replace(getattr(found, part), **fields)
            for part, fields in changes.items()
        }
        return dataclasses.replace(found, **wholes)

    def check_layers(self, n_layers: int) -> None:
        """Refuse a number of learning rates that does not fit the layers.

        Raises
        ------
        InputError
        """
        self.optimiser.check(n_layers)

    @property
    def memories(self) -> int:
        """Numbers kept for every weight: itself, what the optimiser remembers, shadow weights."""
        return 1 + len(self.optimiser.init(np.zeros(1))) + self.hardware.memories

    @property
    def tests_epochs(self) -> bool:
        """Whether the test error is measured after every epoch."""
        return self.test == "epochs" and not self.validation

    @property
    def errors_from(self) -> dict[str, str]:
        """Which errors are measured, and where the free phases begin in which they are counted."""
        found: dict[str, str] = {"training": self.start}
        if self.validation:
            found["validation"] = self.start
        if self.tests_epochs or self.test == "end":
            # A test error that is measured once has no particles to begin with.
            found["test"] = self.start if self.tests_epochs else "rest"
        return found


#: The fields that are objects.
PARTS = (
    *("model", "rule", "loss", "optimiser", "relaxation"),
    *("initial", "transform", "hardware", "rewire"),
)
FIELDS = {field.name for field in dataclasses.fields(TrainingConfig)}
