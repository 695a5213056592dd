"""Where the money goes: one small chart per line of spending, this place beside England."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evidence.facts import number
from evidence.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL, _TOP, _BOTTOM, _HEADING = 31.0, 7.5, 7.5, 8.5
_COLUMNS = frozenset({"key", "label", "period", "share", "england_share"})


def spend_figure(rows: pd.DataFrame, *, place: str, columns: int = 3) -> Figure:
    """Draw the shares of spending over the years.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per line of spending and year, in the order of showing: key, label, period,
        share and england_share (percent; NaN where not known, or where no comparison is made).
    place : str
        Name of the place.
    columns : int
        Charts side by side: three on a page, two in a narrow column.

    Returns
    -------
    matplotlib.figure.Figure
        166 mm wide with three columns, 100 mm with two.

    Raises
    ------
    ValueError
        If a column is missing, or the number of charts side by side is neither two nor three.
    """
    lost = sorted(_COLUMNS - set(rows.columns))
    if lost or columns not in (2, 3):
        raise ValueError(f"columns missing: {lost}" if lost else "columns must be two or three")
    lines = [(str(label), part) for label, part in rows.groupby("label", sort=False)]
    periods = list(dict.fromkeys(rows["period"]))
    width = style.TEXT_WIDTH if columns == 3 else 100.0
    across, gap = width / columns, 12.0
    down = math.ceil(len(lines) / columns)
    height = _TOP + down * (_HEADING + _PANEL + _BOTTOM)
    fig = style.figure(width, height)
    fig.set_layout_engine("none")
    _legend(fig, place, bool(rows["england_share"].notna().any()), width, height)
    for position, (label, part) in enumerate(lines):
        row, column = divmod(position, columns)
        left = column * across + 1.0
        top = _TOP + row * (_HEADING + _PANEL + _BOTTOM) + _HEADING
        ax = fig.add_axes(
            (left / width, 1 - (top + _PANEL) / height, (across - gap) / width, _PANEL / height)
        )
        fig.text((left - 1.0) / width, 1 - (top - 4.0) / height, label, fontsize=9.2,
                 fontweight=600, va="center")  # fmt: skip
        _panel(ax, part, periods)
    return fig


def _legend(fig: Figure, place: str, compared: bool, width: float, height: float) -> None:
    words = [(place, "place", 600)] + ([("England", "comparison", 600)] if compared else [])
    words.append(("percent of gross spending on children's services", "comparison", 400))
    ax = fig.add_axes((0, 1 - 5.6 / height, 1, 5.6 / height))
    ax.axis("off")
    before: Any = None
    for text, role, weight in words:
        # Each stands where the one before it ends, however wide that is.
        before = ax.annotate(
            text, (0, 0.5) if before is None else (1, 0), xycoords=before or "axes fraction",
            xytext=(0, 0) if before is None else (11, 0), textcoords="offset points",
            fontsize=9, fontweight=weight, color=style.colour(role),
            va="center" if before is None else "bottom",
        )  # fmt: skip


def _panel(ax: Axes, part: pd.DataFrame, periods: list[str]) -> None:
    x = np.array([periods.index(period) for period in part["period"]])
    series = [
        (part["england_share"].to_numpy(dtype=float), "comparison", "s", 1.2),
        (part["share"].to_numpy(dtype=float), "place", "o", 2.0),
    ]
    known = np.concatenate([values[np.isfinite(values)] for values, *_ in series])
    high = float(known.max(initial=0.0)) or 1.0
    ax.set(xlim=(-0.35, len(periods) - 0.65), ylim=(0, high * 1.22))
    ax.set_yticks([0])
    ax.set_yticklabels([""])
    ax.spines["left"].set_visible(False)
    ax.set_xticks([0, len(periods) - 1], [periods[0], periods[-1]], fontsize=8)
    # The first year begins where its chart begins, so that it does not stick out of the page.
    ax.get_xticklabels()[0].set_horizontalalignment("left")
    ax.tick_params(axis="x", colors=style.colour("comparison"), length=2.5)
    for values, role, marker, lw in series:
        colour = style.colour(role)
        # A year without a figure is a gap in the line; a year alone is still a point.
        ax.plot(x, values, color=colour, lw=lw, marker=marker, ms=3.6, mec="white", mew=0.5,
                clip_on=False, zorder=3 if role == "place" else 2)  # fmt: skip
    _labels(ax, x, series, high)
    if not np.isfinite(series[1][0]).any():
        ax.text((len(periods) - 1) / 2, high * 0.3, "no figure here", fontsize=8.5,
                style="italic", ha="center", color=style.colour("comparison"))  # fmt: skip


def _labels(
    ax: Axes, x: np.ndarray, series: list[tuple[np.ndarray, str, str, float]], high: float
) -> None:
    """Print the last value of each line beside it, and the first above or below it."""
    least = high * 1.22 * 3.4 / _PANEL
    ends = []
    for values, role, *_ in series:
        there = np.flatnonzero(np.isfinite(values))
        if len(there):
            ends.append([values[there[-1]], values[there[-1]], role, float(x[there[-1]])])
    ends.sort(key=lambda end: end[0])
    if len(ends) == 2 and ends[0][3] == ends[1][3] and ends[1][0] - ends[0][0] < least:
        middle = max((ends[0][0] + ends[1][0]) / 2, least / 2)
        ends[0][0], ends[1][0] = middle - least / 2, middle + least / 2
    for y, value, role, at in ends:
        look: dict[str, Any] = {"fontsize": 8.8, "fontweight": 600 if role == "place" else 400,
                "color": style.colour(role), "bbox": _backing()}  # fmt: skip
        if at == x[-1]:
            ax.text(at + 0.22, max(y, least / 2), _percent(value), va="center", **look)
        else:
            # The line of the other goes on to the right of this one's end.
            below = any(end[1] > value for end in ends) and value > least
            ax.annotate(_percent(value), (at, value), (0, -6 if below else 6),
                        textcoords="offset points", ha="center",
                        va="top" if below else "bottom", **look)  # fmt: skip
    starts = [
        (float(values[0]), role, float(values[np.flatnonzero(np.isfinite(values))[1]]))
        for values, role, *_ in series
        if np.isfinite(values[0]) and np.isfinite(values).sum() > 1
    ]
    for value, role, after in starts:
        others = [other for other, name, _ in starts if name != role]
        room = {
            "bottom": all(not value <= other <= value + 2.2 * least for other in others),
            "top": value > least
            and all(not value - 2.2 * least <= other <= value for other in others),
        }
        # Where the line goes down its label stands above, and the other way round, if it can.
        wish, other = ("bottom", "top") if after <= value else ("top", "bottom")
        side = wish if room[wish] or not room[other] else other
        ax.annotate(_percent(value), (0, value), (0, 5 if side == "bottom" else -5),
                    textcoords="offset points", fontsize=8, ha="center", va=side,
                    color=style.colour(role), bbox=_backing())  # fmt: skip


def _percent(value: float) -> str:
    if value == 0:
        return "none"
    return "under 0.1%" if value < 0.05 else f"{number(value, 1)}%"


def _backing() -> dict[str, Any]:
    """Paper behind a label, so that a line does not cross it."""
    return {"facecolor": style.colour("paper"), "edgecolor": "none", "pad": 0.4}
