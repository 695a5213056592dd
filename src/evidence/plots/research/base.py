"""What the plots for researchers have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evidence.facts import Sentence, md, number
from evidence.plots import style
from evidence.plots.figure import Figure

if TYPE_CHECKING:
    import matplotlib.figure
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]
Scale = Literal["difference", "log"]


def require(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The frame, if it has the columns and at least one row.

    Raises
    ------
    ValueError
        If a column is missing or there is nothing to draw.
    """
    lost = [name for name in columns if name not in frame]
    if lost:
        raise ValueError(f"columns missing: {', '.join(lost)}")
    if frame.empty:
        raise ValueError("there is nothing to draw")
    return frame


def finish(fig: matplotlib.figure.Figure, *, alt: str, caption: str, label: str) -> Figure:
    """A figure with its caption and its words."""
    return Figure.from_matplotlib(fig, alt=alt, caption=Sentence(md(caption), ()), label=label)


def shown(value: float, scale: Scale = "difference") -> str:
    """A value as readers know it: a ratio for logarithms, with digits by its size."""
    if not math.isfinite(value):
        return "not known"
    value = math.exp(value) if scale == "log" else value
    size = abs(value)
    if size >= 1000 or (0 < size < 0.005):
        return f"{value:.2g}"
    return number(value, 2 if size < 10 else 1 if size < 100 else 0)


def interval(low: float, high: float, scale: Scale = "difference") -> str:
    """Two limits in words."""
    return f"{shown(low, scale)} to {shown(high, scale)}"


def effect_axis(axis: Any, scale: Scale, title: str) -> None:
    """Label an axis of effects; logarithms of ratios are labelled as ratios."""
    from matplotlib.ticker import FuncFormatter

    if scale == "log":
        low, high = axis.get_view_interval()
        axis.set_ticks(_ratios(low, high))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{math.exp(value):.3g}"))
    axis.set_label_text(title)


def _ratios(low: float, high: float) -> list[float]:
    """Logarithms of round ratios within a range, as few as are readable."""
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        decades = range(math.floor(low / math.log(10)) - 1, math.ceil(high / math.log(10)) + 1)
        ticks = [math.log(step) + d * math.log(10) for d in decades for step in steps]
        kept = [tick for tick in sorted(ticks) if low <= tick <= high]
        if len(kept) <= 8:
            break
    if len(kept) >= 2:
        return kept
    return [float(tick) for tick in np.linspace(low, high, 3)]


def zero_line(ax: Axes, *, at: float = 0.0, vertical: bool = True) -> None:
    """The line of no effect."""
    draw = ax.axvline if vertical else ax.axhline
    draw(at, color=style.colour("muted"), lw=0.8, zorder=1)


def name_points(ax: Axes, x: Array, y: Array, names: Sequence[str], chosen: Iterable[int]) -> None:
    """Write names beside some points, on the side where there is room."""
    low, high = ax.get_xlim()
    for i in chosen:
        right = (x[i] - low) / (high - low) < 0.72
        ax.annotate(
            names[i], (x[i], y[i]), (5 if right else -5, 3), textcoords="offset points",
            ha="left" if right else "right", fontsize=7.8, color=style.colour("ink"),
        )  # fmt: skip


def listing(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
