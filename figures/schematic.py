"""Drawing schematics: blocks and circles joined by wires, on a page measured in millimetres.

What a block or wire is needed for shows in its colour and, without colour, in its line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Polygon
from matplotlib.patheffects import withStroke

from smallworld_eqprop.studies.style import GREEN, LIGHT, ORANGE, PAGE, RED

MM = 1 / 25.4
WIDTH = PAGE / MM

Point = tuple[float, float]


@dataclass(frozen=True)
class Role:
    """What something is needed for, and the line that says so."""

    meaning: str
    colour: object
    dashes: object = "-"
    width: float = 1.1


BLACK = Role("", "black")
CORRECTING = Role("to correct parameters", GREEN, (0, (4, 1.4)), 1.3)
OUTPUTS = Role("", ORANGE, (0, (5, 1.2, 1, 1.2)), 1.4)
BACKWARD = Role("", RED, (0, (1.2, 0.9)), 1.7)

# Length and half width of an arrow head, and radius of a joint.
HEAD, HALF, JOINT = 2.3, 0.9, 0.75
# How far the copies behind something that is there many times are moved.
COPIES = (2.4, 1.2)


@dataclass(frozen=True)
class Block:
    """A place on the page; wires begin and end at its sides."""

    x: float
    y: float
    width: float
    height: float

    def left(self, y: float | None = None) -> Point:
        """Middle of the left side, or its point at height y."""
        return self.x - self.width / 2, self.y if y is None else y

    def right(self, y: float | None = None) -> Point:
        """Middle of the right side, or its point at height y."""
        return self.x + self.width / 2, self.y if y is None else y

    def top(self, x: float | None = None) -> Point:
        """Middle of the upper side, or its point at x."""
        return self.x if x is None else x, self.y + self.height / 2

    def bottom(self, x: float | None = None) -> Point:
        """Middle of the lower side, or its point at x."""
        return self.x if x is None else x, self.y - self.height / 2


class Page:
    """A figure as wide as a page, from `bottom` to `top` millimetres of the y axis."""

    def __init__(self, bottom: float, top: float) -> None:
        self.figure: Figure = plt.figure(figsize=(PAGE, (top - bottom) * MM))
        # Set afterwards: an engine of "none" given at once is forgotten when the figure is saved.
        self.figure.set_layout_engine("none")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH), ylim=(bottom, top), aspect="equal")
        self.axes.set_axis_off()

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str,
        role: Role = BLACK,
        *,
        many: bool = False,
        rounding: float = 1.0,
    ) -> Block:
        """A block around (x, y); with `many`, copies peep out behind it."""
        for shift in COPIES if many else ():
            self._patch(x + shift, y + shift, width, height, rounding, LIGHT, 0.8)
        self._patch(x, y, width, height, rounding, role.colour, role.width)
        self.text(x, y, text)
        return Block(x, y, width, height)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        text: str,
        role: Role = BLACK,
        *,
        many: bool = False,
    ) -> Block:
        """A circle around (x, y)."""
        style = {"facecolor": "white", "zorder": 4}
        for shift in COPIES if many else ():
            place = (x + shift, y + shift)
            self.axes.add_patch(Circle(place, radius, edgecolor=LIGHT, linewidth=0.8, **style))
        edge = {"edgecolor": role.colour, "linewidth": role.width}
        self.axes.add_patch(Circle((x, y), radius, **edge, **style))
        self.text(x, y, text)
        return Block(x, y, 2 * radius, 2 * radius)

    def frame(self, left: float, bottom: float, right: float, top: float, name: str) -> None:
        """The outline of a neuron, named in its upper left corner."""
        place = ((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)
        self._patch(*place, 2.5, "0.45", 0.8, zorder=0)
        self.text(left + 2, top - 3.2, name, ha="left")

    def wire(
        self,
        *points: Point,
        role: Role = BLACK,
        arrow: bool = True,
        both: bool = False,
        joint: bool = False,
    ) -> None:
        """A line through the points, with a head at the end, or at both ends.

        A `joint` marks that it begins at another wire; wires that merely cross have none.
        """
        path = [np.array(point, float) for point in points]
        ends = list(path)
        if arrow or both:
            ends[-1] = self._head(path[-2], path[-1], role)
        if both:
            ends[0] = self._head(path[1], path[0], role)
        halo = withStroke(linewidth=role.width + 2.2, foreground="white")
        line = Line2D(
            *np.transpose(ends),
            color=role.colour,
            linewidth=role.width,
            linestyle=role.dashes,
            solid_capstyle="butt",
            path_effects=[halo] if role is not BLACK else None,
            zorder=3 if role is not BLACK else 2,
        )
        self.axes.add_line(line)
        if joint:
            self.joint(*points[0], role)

    def joint(self, x: float, y: float, role: Role = BLACK) -> None:
        """Mark that wires meet here."""
        self.axes.add_patch(Circle((x, y), JOINT, color=role.colour, zorder=5))

    def text(self, x: float, y: float, text: str, **style: object) -> None:
        """Text around (x, y)."""
        style = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 6, **style}
        self.axes.text(x, y, text, **style)

    def table(self, columns: Sequence[str], rows: Mapping[str, Sequence[int]], top: float) -> None:
        """Whole numbers under headings, from the height `top` downwards."""
        lines = [("in networks 784-500-500-500-10", columns)]
        lines += [(name, [f"{number:,}" for number in numbers]) for name, numbers in rows.items()]
        for line, (name, cells) in enumerate(lines):
            y = top - 4.2 * line
            self.text(16, y, name, ha="left", fontsize=7)
            for column, cell in enumerate(cells):
                self.text(108 + 30 * column, y, cell, ha="right", fontsize=7)

    def legend(self, roles: Sequence[Role], ncols: int) -> None:
        """Name the roles below everything."""
        handles = [
            Line2D([], [], color=role.colour, linewidth=role.width, linestyle=role.dashes)
            for role in roles
        ]
        meanings = [role.meaning for role in roles]
        self.axes.legend(
            handles,
            meanings,
            loc="lower center",
            ncols=ncols,
            handlelength=3.4,
            columnspacing=1.8,
            borderaxespad=0.1,
        )

    def _patch(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        rounding: float,
        edge: object,
        line: float,
        zorder: int = 4,
    ) -> None:
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={rounding}",
                facecolor="white",
                edgecolor=edge,
                linewidth=line,
                zorder=zorder,
            )
        )

    def _head(self, start: np.ndarray, tip: np.ndarray, role: Role) -> np.ndarray:
        """Draw an arrow head and give where the line should end."""
        along = (tip - start) / np.linalg.norm(tip - start)
        across = np.array([-along[1], along[0]])
        base = tip - HEAD * along
        corners = [tip, base + HALF * across, base - HALF * across]
        self.axes.add_patch(Polygon(corners, closed=True, color=role.colour, linewidth=0, zorder=5))
        return base + 0.1 * along
