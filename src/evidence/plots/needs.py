"""Needs of one place: one strip per need, England in the middle, worse to the right.

Every strip has its own scale, the usual difference between places, so that strips can be read
side by side although their units differ. There are no ranks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evidence.plots import lettering, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 3.6
"""Half of a strip in standard deviations between places; what lies beyond is shown at the edge."""

_CELL, _HEADING, _LEGEND, _GAP = 15.6, 9.2, 14.2, 9.0
_STRIP, _NOTE, _FIRST = 6.9, 11.8, 2.6
_WORDS = 8.5
# Places like this one stand on the line, this one hangs below it, so that neither hides the other.
_ABOVE, _BELOW = -1.15, 1.25
_COLUMNS = frozenset({
    "key", "group", "label", "value_text", "note", "verdict", "missing", "centre", "spread",
    "turn", "value", "lower", "upper", "region",
})  # fmt: skip


def needs_figure(
    rows: pd.DataFrame,
    neighbours: pd.DataFrame,
    *,
    place: str,
    region: str,
    columns: int = 2,
) -> Figure:
    """Draw the strips.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per need, in the order of showing: key, group (heading), label, value_text (the
        value with its unit), note (comparators and period in words), verdict (``worse``,
        ``better``, ``no`` or empty), missing (why there is no strip, else empty), and in the
        need's unit centre (England), spread (standard deviation between places), turn (1 where
        high is worse, -1 where low is), value, lower, upper (NaN without an interval), region.
    neighbours : pandas.DataFrame
        key and value, one row per neighbour and need.
    place, region : str
        Names for the legend.
    columns : {1, 2}
        Two for the width of a printed page, one for a narrow column or a telephone.

    Returns
    -------
    matplotlib.figure.Figure
        166 mm wide with two columns, 92 mm with one; as high as it needs. One column holds at
        most a dozen needs, because a figure must fit on a page.

    Raises
    ------
    ValueError
        If a column is missing or the number of columns of strips is neither 1 nor 2.
    """
    lost = sorted(_COLUMNS - set(rows.columns))
    if lost or columns not in (1, 2):
        raise ValueError(f"columns missing: {lost}" if lost else "columns must be one or two")
    width = style.TEXT_WIDTH if columns == 2 else 92.0
    cell = (width - _GAP * (columns - 1)) / columns
    groups = [(str(name), part) for name, part in rows.groupby("group", sort=False)]
    stacks = _stack(groups, columns)
    tall = max(sum(_HEADING + _CELL * len(part) for _, part in stack) for stack in stacks)
    entries = _entries(place, region, width)
    legend = _LEGEND + entries[-1][3] - _FIRST
    fig = style.figure(width, legend + tall)
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.5, width + 0.5), ylim=(legend + tall, 0))
    ax.axis("off")
    _legend(ax, entries, cell, columns)
    for position, stack in enumerate(stacks):
        left, top = position * (cell + _GAP), legend
        for heading, part in stack:
            ax.text(left, top + 4.2, heading, fontsize=10, fontweight=600,
                    color=style.colour("deep"), va="center")  # fmt: skip
            ax.plot([left, left + cell], [top + 7.2] * 2, color=style.colour("deep"), lw=0.8)
            top += _HEADING
            for _, row in part.iterrows():
                near = neighbours.loc[neighbours["key"] == row["key"], "value"]
                _strip(ax, row, near.to_numpy(dtype=float), left, top, cell)
                top += _CELL
    return fig


def _stack(
    groups: Sequence[tuple[str, pd.DataFrame]], columns: int
) -> list[list[tuple[str, pd.DataFrame]]]:
    """Share the groups among columns in order, so that the taller one is as low as can be."""
    if columns == 1 or len(groups) < 2:
        return [list(groups)]
    heights = [_HEADING + _CELL * len(part) for _, part in groups]
    cut = min(
        range(1, len(groups)), key=lambda at: (max(sum(heights[:at]), sum(heights[at:])), -at)
    )
    return [list(groups[:cut]), list(groups[cut:])]


def _entries(place: str, region: str, width: float) -> list[tuple[str, str, float, float]]:
    """Mark, words and position of each entry of the legend, in as many lines as it takes."""
    x, y = 1.6, _FIRST
    placed = []
    for kind, words in (
        ("out", f"{place}, stands out"),
        ("in", f"{place}, no clear difference"),
        ("near", "ten statistical neighbours"),
        ("region", region),
    ):
        length = 2.6 + lettering.width(words, _WORDS)
        if x > 1.6 and x + length > width:
            x, y = 1.6, y + 4.8
        placed.append((kind, words, x, y))
        x += length + 8.0
    return placed


def _legend(
    ax: Axes, entries: Sequence[tuple[str, str, float, float]], cell: float, columns: int
) -> None:
    slate = style.colour("comparison")
    for kind, words, x, y in entries:
        _mark(ax, kind, x, y)
        ax.text(x + 2.6, y, words, fontsize=_WORDS, va="center", color=style.colour("ink"))
    y = entries[-1][3] + 5.6
    for position in range(columns):
        left = position * (cell + _GAP)
        middle = left + cell / 2
        ax.text(left, y, "\N{LEFTWARDS ARROW} better", fontsize=8.5, va="center", color=slate)
        ax.text(left + cell, y, "worse \N{RIGHTWARDS ARROW}", fontsize=8.5, va="center",
                ha="right", color=slate)  # fmt: skip
        ax.text(middle, y, "England", fontsize=8.5, va="center", ha="center", color=slate)
        ax.plot([middle] * 2, [y + 2.0, y + 4.0], color=slate, lw=0.9)


def _mark(ax: Axes, kind: str, x: float | np.ndarray, y: float) -> None:
    """Shape tells what colour tells: a diamond stands out, a ring does not."""
    rust = style.colour("place")
    looks = {
        "out": {"marker": "D", "ms": 6.2, "mfc": rust, "mec": "white", "mew": 0.7, "zorder": 6},
        "in": {"marker": "o", "ms": 6.0, "mfc": "white", "mec": rust, "mew": 1.7, "zorder": 6},
        "near": {"marker": "o", "ms": 4.3, "mfc": style.colour("muted"), "mec": "white",
                 "mew": 0.5, "zorder": 3},
        "region": {"marker": "|", "ms": 6.5, "mec": style.colour("programme"), "mew": 2.0,
                   "zorder": 4},
    }  # fmt: skip
    ax.plot(np.atleast_1d(x), np.full(np.size(x), y), ls="none", clip_on=False, **looks[kind])  # type: ignore[arg-type]


def _strip(
    ax: Axes, row: pd.Series, near: np.ndarray, left: float, top: float, cell: float
) -> None:
    ink, slate, rust = (style.colour(name) for name in ("ink", "comparison", "place"))
    middle, half = left + cell / 2, cell / 2 - 2.8
    ax.text(left, top + 2.2, row["label"], fontsize=8.8, fontweight=600, va="center", color=ink)
    y = top + _STRIP
    shown = not row["missing"] and math.isfinite(row["value"]) and math.isfinite(row["centre"])
    if not shown:
        ax.text(left, y + 0.4, row["missing"] or "no comparison can be made", fontsize=8.5,
                style="italic", va="center", color=slate)  # fmt: skip
    else:
        ax.text(left + cell, top + 2.2, row["value_text"], fontsize=8.8, fontweight=600,
                va="center", ha="right", color=rust)  # fmt: skip
        everything = np.concatenate([near[np.isfinite(near)], [row["value"]]])
        # Where places do not differ at all, the strip spans what is there.
        spread = row["spread"]
        if not (math.isfinite(spread) and spread > 0):
            spread = float(np.ptp(everything)) / REACH or 1.0

        def at(value: float | np.ndarray) -> np.ndarray:
            steps = row["turn"] * (np.asarray(value, dtype=float) - row["centre"]) / spread
            return middle + half * np.clip(steps / REACH, -1, 1)

        ax.plot([middle - half, middle + half], [y, y], color=style.colour("rule"), lw=0.8)
        ax.plot([middle, middle], [y - 2.5, y + 2.7], color=slate, lw=0.9, zorder=2)
        if len(near):
            _mark(ax, "near", at(near[np.isfinite(near)]), y + _ABOVE)
        if math.isfinite(row["region"]):
            _mark(ax, "region", float(at(row["region"])), y + _ABOVE)
        if math.isfinite(row["lower"]) and math.isfinite(row["upper"]):
            ends = at(np.array([row["lower"], row["upper"]]))
            ax.plot(ends, [y + _BELOW] * 2, color=rust, lw=2.0, solid_capstyle="butt", zorder=5)
        _mark(ax, "out" if row["verdict"] in ("worse", "better") else "in",
              float(at(row["value"])), y + _BELOW)  # fmt: skip
        beyond = row["turn"] * (row["value"] - row["centre"]) / spread / REACH
        if abs(beyond) > 1:
            # The place lies further out than the strip reaches.
            tip = middle + math.copysign(half + 2.0, beyond)
            ax.plot(tip, y + _BELOW, marker=">" if beyond > 0 else "<", ms=3.6, mew=0,
                    color=rust, clip_on=False, zorder=6)  # fmt: skip
    ax.text(left, top + _NOTE, row["note"], fontsize=8, va="center", color=slate)
    if shown and row["verdict"] in ("worse", "better"):
        ax.text(left + cell, top + _NOTE, row["verdict"], fontsize=8.5, fontweight=600,
                va="center", ha="right", color=rust)  # fmt: skip
