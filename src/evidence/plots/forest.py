"""Trials of one kind of outcome under each other, and their average: a forest plot.

The drawing is laid out in millimetres on one sheet, so that the width of every text is known
before it is placed and nothing can run into its neighbour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evidence.facts import number
from evidence.plots import style
from evidence.plots.forest_words import (
    HOME,
    UNPRINTED,
    ScaleName,
    Voice,
    capital,
    check,
    write_number,
)
from evidence.plots.lettering import SIZE, SMALL, put, width, wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REACH = 2.5
"""How far the axis goes beyond the outermost estimates, in half-widths of a usual interval."""

_LINE, _PAD, _TIGHT_PAD, _HEADING, _HEAD = 3.7, 1.3, 0.3, 5.6, 6.0
_GAP, _NAMES, _WIDE_NAMES, _WORDS = 4.0, 58.0, 80.0, 34.0
# A name that is longer is no name; uncut, it could make the drawing higher than a page.
_NAME_LINES = 4
_TALLEST = 235.0


@dataclass(frozen=True)
class _Row:
    """One line of the plot: what is printed left and right of it, and what is drawn."""

    kind: Literal["heading", "trial", "summary", "unprinted"]
    names: tuple[tuple[str, str], ...]  # per line: the name, and what stands lighter after it
    pad: float
    people: str = ""
    words: tuple[str, ...] = ()
    data: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def height(self) -> float:
        if self.kind == "heading":
            return _HEADING
        return _LINE * max(len(self.names), len(self.words), 1) + self.pad


def forest_figure(
    trials: pd.DataFrame,
    summaries: pd.DataFrame,
    unprinted: pd.DataFrame | None,
    *,
    scale: ScaleName,
    axis_label: str,
    favours: tuple[str, str],
    worthwhile: float | None = None,
    write: Callable[[float], str] = write_number,
) -> Figure:
    """Draw a forest plot.

    Parameters
    ----------
    trials : pandas.DataFrame
        One row per trial in the order of showing: group (heading), label, place, n (people, NaN
        if not stated), comparator, estimate, lower and upper (95% interval on the scale of
        analysis, logarithms for ratios; NaN where unknown), weight (NaN where nothing is pooled)
        and flagged (whether the trial carries a warning).
    summaries : pandas.DataFrame
        One row per average: label, estimate, lower, upper, pi_lower, pi_upper (prediction
        interval, NaN without one), strong (the base case). Empty where nothing is pooled.
    unprinted : pandas.DataFrame or None
        Trials without usable figures: label, place, n, direction (in words). They are listed and
        never drawn as an estimate.
    scale : {'difference', 'log'}
        Whether values are differences or logarithms of ratios, which are printed as ratios.
    axis_label : str
        What is measured.
    favours : tuple of (str, str)
        What it means to lie left and right of no difference.
    worthwhile : float, optional
        Smallest worthwhile effect on the scale of analysis.
    write : callable
        How a shown number (a ratio for ``log``) is printed.

    Returns
    -------
    matplotlib.figure.Figure
        166 mm wide, as high as the rows need.

    Raises
    ------
    ValueError
        If a column is missing, there is no row, the scale is unknown or the rows do not fit on
        a page.
    """
    check(trials, summaries, unprinted, scale)
    extent = _extent(trials, summaries, worthwhile)
    # A long list first gets less leading, then more room for names, so that they need fewer lines.
    for most, pad in ((_NAMES, _PAD), (_NAMES, _TIGHT_PAD), (_WIDE_NAMES, _TIGHT_PAD)):
        rows = _rows(trials, summaries, unprinted, scale, write, most, pad)
        notes = _notes(trials, summaries, unprinted, extent)
        foot = _foot(axis_label, favours)
        depth = _HEAD + sum(row.height for row in rows) + _rule_above(rows)
        height = depth + foot + (_LINE * len(notes) + 1.2 if notes else 0.0)
        if height <= _TALLEST:
            break
    fig = style.figure(style.TEXT_WIDTH, height)
    fig.set_layout_engine("none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-0.3, style.TEXT_WIDTH + 0.3), ylim=(height, 0))
    ax.axis("off")

    names = max([width("Trial", SMALL)] + [_names_width(r) for r in rows if r.kind != "summary"])
    people = max([width("People", SMALL)] + [width(row.people) for row in rows])
    title = ("Ratio" if scale == "log" else "Difference") + " (95% interval)"
    words = max(
        [width(title, SMALL)] + [width(line, SIZE, 600) for row in rows for line in row.words]
    )
    count_at = names + _GAP + people
    plane = _Plane(
        count_at + _GAP + 1.5, style.TEXT_WIDTH - words - _GAP - 1.5,
        *extent,
    )  # fmt: skip
    _frame(ax, plane, depth, title, count_at, worthwhile)
    top, largest = _HEAD, trials["weight"].max()
    pooled_seen = False
    for row in rows:
        if row.kind == "summary" and not pooled_seen:
            pooled_seen = True
            ax.plot([0, style.TEXT_WIDTH], [top + 0.7] * 2, color=style.colour("rule"), lw=0.6)
            top += _rule_above(rows)
        _print(ax, row, top, count_at)
        middle = top + (row.height if row.kind == "heading" else _LINE + row.pad) / 2
        if row.kind == "trial":
            _draw_trial(ax, plane, row, middle, largest)
        elif row.kind == "summary":
            _draw_summary(ax, plane, row, middle)
        elif row.kind == "unprinted":
            _open_tick(ax, plane.at(0.0), middle)
        top += row.height
    known = trials["estimate"].notna().any()
    _axis(ax, plane, depth, *(_ticks(plane, scale) if known else _no_difference(scale)))
    _below(ax, plane, depth, axis_label, favours)
    for position, line in enumerate(notes):
        y = depth + foot + _LINE * (position + 0.5)
        put(ax, 0, y, line, SMALL, colour="comparison")
    return fig


def _names(label: str, lighter: str, most: float) -> tuple[tuple[str, str], ...]:
    """A trial's name, and its place behind it where it fits, else below."""
    wrapped = wrap(label, most)
    if len(wrapped) > _NAME_LINES:
        wrapped = [*wrapped[: _NAME_LINES - 1], f"{wrapped[_NAME_LINES - 1][:-2]} …"]
    lines = [(line, "") for line in wrapped]
    room = most - width(lines[-1][0]) - 1.6
    if width(lighter, SMALL) <= room:
        lines[-1] = (lines[-1][0], lighter)
    else:
        lines += [("", line) for line in wrap(lighter, most, SMALL)]
    return tuple(lines)


def _names_width(row: _Row) -> float:
    if row.kind == "heading":
        return 0.0
    return max(
        width(name) + (1.6 if name and lighter else 0.0) + width(lighter, SMALL)
        for name, lighter in row.names
    )


# Rows


def _rows(
    trials: pd.DataFrame,
    summaries: pd.DataFrame,
    unprinted: pd.DataFrame | None,
    scale: ScaleName,
    write: Callable[[float], str],
    most: float,
    pad: float,
) -> list[_Row]:
    say = Voice(scale, ("", ""), write)
    rows: list[_Row] = []
    groups = list(trials.groupby("group", sort=False))
    several = trials["comparator"].nunique(dropna=True) > 1
    for group, part in groups:
        if len(groups) > 1 or group != HOME:
            rows.append(_Row("heading", ((str(group), ""),), pad))
        for _, row in part.iterrows():
            # Who was compared with whom is told by the caption unless trials differ in it.
            lighter = f"{row['place']}, against {row['comparator']}" if several else row["place"]
            rows.append(_Row("trial", _names(row["label"], lighter, most), pad, _people(row["n"]),
                             _numbers(say.result(row)), row.to_dict()))  # fmt: skip
    if unprinted is not None and len(unprinted):
        rows.append(_Row("heading", ((UNPRINTED, ""),), pad))
        for _, row in unprinted.iterrows():
            rows.append(_Row("unprinted", _names(row["label"], row["place"], most), pad,
                             _people(row["n"]), tuple(wrap(row["direction"], _WORDS, SMALL)),
                             row.to_dict()))  # fmt: skip
    for _, row in summaries.iterrows():
        weight = 600 if row["strong"] else 400
        names = [(line, "") for line in wrap(row["label"], most + _GAP, SIZE, weight)]
        if math.isfinite(row["pi_lower"]) and math.isfinite(row["pi_upper"]):
            low, high = say.value(row["pi_lower"]), say.value(row["pi_upper"])
            names.append(("", f"in a new place: {low} to {high}"))
        rows.append(
            _Row("summary", tuple(names), pad, "", _numbers(say.result(row)), row.to_dict())
        )
    return rows


def _rule_above(rows: Sequence[_Row]) -> float:
    """Room for the rule between trials and averages."""
    return 1.4 if any(row.kind == "summary" for row in rows) else 0.0


def _people(n: float) -> str:
    return "not stated" if pd.isna(n) else number(n)


def _numbers(result: str) -> tuple[str, ...]:
    return (result,) if width(result) <= 44 else tuple(wrap(result, _WORDS))


def _print(ax: Axes, row: _Row, top: float, count_at: float) -> None:
    if row.kind == "heading":
        put(ax, 0, top + _HEADING / 2 + 0.5, row.names[0][0], SIZE, colour="deep",
              fontweight=600)  # fmt: skip
        return
    strong = row.kind == "summary" and bool(row.data["strong"])
    weight = 600 if strong else 400
    for position, (name, lighter) in enumerate(row.names):
        y = top + row.pad / 2 + _LINE * (position + 0.5)
        if name:
            put(ax, 0, y, name, fontweight=weight)
        if lighter:
            x = width(name) + 1.6 if name else 0.0
            put(ax, x, y, lighter, SMALL, colour="comparison")
    y = top + (row.pad + _LINE) / 2
    if row.people:
        muted = row.people == "not stated"
        put(ax, count_at, y, row.people, SMALL if muted else SIZE, ha="right",
              colour="comparison" if muted else "ink")  # fmt: skip
    silent = row.kind == "unprinted"
    for position, line in enumerate(row.words):
        put(ax, style.TEXT_WIDTH, y + _LINE * position, line, SMALL if silent else SIZE,
              ha="right", fontweight=weight, colour="comparison" if silent else "ink",
              fontstyle="italic" if silent else "normal")  # fmt: skip


def _notes(
    trials: pd.DataFrame,
    summaries: pd.DataFrame,
    unprinted: pd.DataFrame | None,
    extent: tuple[float, float],
) -> list[str]:
    """Lines of the legend: only what is there is explained."""
    limits = ["lower", "upper", "pi_lower", "pi_upper"]
    ends = pd.concat([trials[["estimate", "lower", "upper"]], summaries[limits]]).astype(float)
    explained = (
        (trials["flagged"].astype(bool).any(), "Hollow: carries a warning, see the table."),
        (summaries["pi_lower"].notna().any(),
         "Thin line through a diamond: where the true effect in a new place would be expected."),
        (((ends < extent[0]) | (ends > extent[1])).any(axis=None),
         "Arrow: goes on beyond the axis."),
        (unprinted is not None and len(unprinted) > 0,
         "Open tick: no usable figures, not an estimate."),
    )  # fmt: skip
    lines: list[str] = []
    for here, note in explained:
        if here and lines and width(f"{lines[-1]}  {note}", SMALL) <= style.TEXT_WIDTH:
            lines[-1] += f"  {note}"
        elif here:
            lines.append(note)
    return lines


# Axis


@dataclass(frozen=True)
class _Plane:
    """Where the plot lies on the sheet (millimetres) and which values it spans."""

    left: float
    right: float
    low: float
    high: float

    def at(self, value: float) -> float:
        return self.left + (self.right - self.left) * (value - self.low) / (self.high - self.low)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def _extent(
    trials: pd.DataFrame, summaries: pd.DataFrame, worthwhile: float | None
) -> tuple[float, float]:
    """Ends of the axis: whole intervals as a rule, but none may squeeze all the others."""
    columns = ["estimate", "lower", "upper"]
    both = pd.concat([trials[columns], summaries[columns]]).astype(float).to_numpy()
    wide = (both[:, 2] - both[:, 1]) / 2
    known = wide[np.isfinite(wide)]
    usual = float(np.quantile(known, 0.5, method="lower")) if len(known) else math.inf
    # An estimate with an interval many times as wide as usual says little and may lie anywhere.
    firm = both[~(wide > 4 * REACH * usual), 0]
    anchors = [0.0, *firm[np.isfinite(firm)]]
    if worthwhile is not None and math.isfinite(worthwhile):
        anchors.append(worthwhile)
    pi = summaries[["pi_lower", "pi_upper"]].astype(float).to_numpy().ravel()
    ends = np.concatenate([both.ravel(), pi])
    ends = ends[np.isfinite(ends)]
    low, high = min(anchors), max(anchors)
    if len(ends):
        whole = min(low, float(ends.min())), max(high, float(ends.max()))
        low, high = max(whole[0], low - REACH * usual), min(whole[1], high + REACH * usual)
        # An axis that has to grow only a little shows every interval to its end.
        if whole[1] - whole[0] <= 2 * (high - low):
            low, high = whole
    if high - low <= 0:
        low, high = -1.0, 1.0
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _no_difference(scale: ScaleName) -> tuple[list[float], list[str]]:
    """The one tick that every axis has, alone where there is nothing to measure."""
    return [0.0], ["1" if scale == "log" else "0"]


def _ticks(plane: _Plane, scale: ScaleName) -> tuple[list[float], list[str]]:
    """Round values, and where there is room for each; no difference is always among them."""
    from matplotlib.ticker import MaxNLocator

    if scale == "difference":
        for bins in range(7, 1, -1):
            locator = MaxNLocator(bins, steps=[1, 2, 2.5, 5, 10])
            values = [float(v) for v in locator.tick_values(plane.low, plane.high)]
            values = [0.0 if abs(v) < 1e-12 else v for v in values if plane.holds(v)]
            labels = _tick_labels(values)
            if _roomy(plane, values, labels):
                return values, labels
        return _no_difference(scale)
    low, high = math.exp(plane.low), math.exp(plane.high)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    choices = []
    if high / low < 4:
        choices += [
            [i * step for i in range(1, math.floor(high / step) + 1)]
            for step in (0.1, 0.2, 0.25, 0.5)
        ]
    choices += [
        [mantissa * 10.0**decade for decade in decades for mantissa in mantissas]
        for mantissas in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
    ]
    choices += [[10.0**d for d in decades if d % skip == 0] for skip in (2, 3, 5)]
    for ratios in choices:
        values = [math.log(r) if abs(r - 1) > 1e-9 else 0.0 for r in ratios if low <= r <= high]
        labels = [f"{math.exp(v):.6g}" for v in values]
        if 0.0 in values and 2 <= len(values) <= 7 and _roomy(plane, values, labels):
            return values, labels
    return _no_difference(scale)


def _tick_labels(values: Sequence[float]) -> list[str]:
    """The fewest decimals that tell the values apart and exactly."""
    for digits in range(7):
        if all(abs(v - round(v, digits)) < 1e-9 for v in values):
            return [number(v, digits) for v in values]
    return [number(v, 6) for v in values]


def _roomy(plane: _Plane, values: Sequence[float], labels: Sequence[str]) -> bool:
    for one, other, a, b in zip(values, values[1:], labels, labels[1:], strict=False):
        if plane.at(other) - plane.at(one) < (width(a) + width(b)) / 2 + 2.5:
            return False
    return len(values) >= 2


def _frame(
    ax: Axes, plane: _Plane, depth: float, title: str, count_at: float, worthwhile: float | None
) -> None:
    slate = style.colour("comparison")
    y = _HEAD / 2 - 0.7
    put(ax, 0, y, "Trial", SMALL, colour="comparison")
    put(ax, count_at, y, "People", SMALL, colour="comparison", ha="right")
    put(ax, style.TEXT_WIDTH, y, title, SMALL, colour="comparison", ha="right")
    ax.plot([0, style.TEXT_WIDTH], [_HEAD - 1.0] * 2, color=style.colour("rule"), lw=0.6)
    zero = plane.at(0.0)
    ax.plot([zero, zero], [_HEAD - 1.0, depth + 0.6], color=slate, lw=0.9, zorder=1)
    if worthwhile is not None and math.isfinite(worthwhile):
        x, words = plane.at(worthwhile), "smallest worthwhile"
        half = width(words, SMALL) / 2
        ax.plot([x, x], [_HEAD - 1.0, depth + 0.6], color=style.colour("caution"), lw=0.8,
                dashes=(3.5, 2.5), zorder=1)  # fmt: skip
        middle = min(max(x, plane.left - 3.0 + half), plane.right + 3.0 - half)
        put(ax, middle, y, words, SMALL, colour="caution", ha="center")


def _axis(
    ax: Axes, plane: _Plane, depth: float, values: Sequence[float], labels: Sequence[str]
) -> None:
    slate = style.colour("comparison")
    y = depth + 0.6
    ax.plot([plane.left, plane.right], [y, y], color=slate, lw=0.6)
    for value, label in zip(values, labels, strict=True):
        x = plane.at(value)
        ax.plot([x, x], [y, y + 1.0], color=slate, lw=0.6)
        put(ax, x, y + 3.0, label, ha="center")


def _sides(favours: tuple[str, str]) -> tuple[list[str], list[str]]:
    """Lines on either side: each has half of the sheet at most."""
    most = style.TEXT_WIDTH / 2 - 3.0
    return (
        wrap(f"\N{LEFTWARDS ARROW} {favours[0]}", most, SMALL),
        wrap(f"{favours[1]} \N{RIGHTWARDS ARROW}", most, SMALL),
    )


def _measured(axis_label: str) -> list[str]:
    """Lines of the label of the axis."""
    return wrap(capital(axis_label), style.TEXT_WIDTH - 2.0, SMALL)


def _foot(axis_label: str, favours: tuple[str, str]) -> float:
    """Height of what stands below the axis."""
    return 6.4 + _LINE * (max(map(len, _sides(favours))) + len(_measured(axis_label)))


def _below(
    ax: Axes, plane: _Plane, depth: float, axis_label: str, favours: tuple[str, str]
) -> None:
    """What the two sides mean, at the ends of the axis, and what is measured under them."""
    left, right = _sides(favours)
    wide_left, wide_right = (max(width(line, SMALL) for line in side) for side in (left, right))
    # Words too long for the axis are pushed outwards, where nothing else is printed.
    middle = (plane.left + plane.right) / 2
    start = min(plane.left, middle - 2.0 - wide_left)
    end = max(plane.right, middle + 2.0 + wide_right)
    if end > style.TEXT_WIDTH:
        start, end = min(start, style.TEXT_WIDTH - wide_right - 4.0 - wide_left), style.TEXT_WIDTH
    y = depth + 5.4 + _LINE / 2
    for position, line in enumerate(left):
        put(ax, start, y + _LINE * position, line, SMALL, colour="comparison")
    for position, line in enumerate(right):
        put(ax, end, y + _LINE * position, line, SMALL, colour="comparison", ha="right")
    y += _LINE * (max(len(left), len(right)) - 1)
    for line in _measured(axis_label):
        y += _LINE
        half = width(line, SMALL) / 2
        x = min(max(middle, half + 1.0), style.TEXT_WIDTH - 1.0 - half)
        put(ax, x, y, line, SMALL, ha="center")


# Marks


def _reach(ax: Axes, plane: _Plane, low: float, high: float, y: float, **look: Any) -> None:
    """A line from low to high; where it leaves the axis it ends in an arrow head."""
    left, right = max(low, plane.low), min(high, plane.high)
    if left < right:
        ax.plot([plane.at(left), plane.at(right)], [y, y], solid_capstyle="butt", **look)
    for beyond, value, marker in ((low < plane.low, low, "<"), (high > plane.high, high, ">")):
        if beyond:
            edge = plane.left - 0.4 if value < plane.low else plane.right + 0.4
            ax.plot(edge, y, marker=marker, ms=3.8, mew=0, ls="none",
                    color=look["color"], zorder=look["zorder"], gid="clipped")  # fmt: skip


def _draw_trial(ax: Axes, plane: _Plane, row: _Row, y: float, largest: float) -> None:
    from matplotlib.patches import Rectangle

    data, lake = row.data, style.colour("programme")
    estimate, low, high = (float(data[key]) for key in ("estimate", "lower", "upper"))
    if not (math.isfinite(low) and math.isfinite(high)):
        low = high = estimate
    if not math.isfinite(estimate):
        return
    # What lies beyond the axis is an arrow alone: no marker stands where no estimate is.
    _reach(ax, plane, low, high, y, color=lake, lw=1.2, zorder=3)
    if not plane.holds(estimate):
        return
    # The area is proportional to the weight, down to what can still be seen.
    weighed = math.isfinite(data["weight"]) and largest > 0
    side = max(1.2, 3.1 * math.sqrt(data["weight"] / largest)) if weighed else 2.0
    hollow = bool(data["flagged"])
    if hollow:
        side = max(side - 0.3, 1.3)
    ax.add_patch(Rectangle(
        (plane.at(estimate) - side / 2, y - side / 2), side, side, zorder=4,
        facecolor="white" if hollow else lake, edgecolor=lake, linewidth=0.9 if hollow else 0.0,
        gid="hollow" if hollow else "solid",
    ))  # fmt: skip


def _draw_summary(ax: Axes, plane: _Plane, row: _Row, y: float) -> None:
    from matplotlib.patches import Polygon

    data, deep = row.data, style.colour("deep")
    estimate, low, high = (float(data[key]) for key in ("estimate", "lower", "upper"))
    pi_low, pi_high = float(data["pi_lower"]), float(data["pi_upper"])
    if math.isfinite(pi_low) and math.isfinite(pi_high):
        _reach(ax, plane, pi_low, pi_high, y, color=deep, lw=0.8, zorder=3)
    if not math.isfinite(estimate):
        return
    if not (math.isfinite(low) and math.isfinite(high)):
        low = high = estimate
    _reach(ax, plane, low, high, y, color=deep, lw=0.8, zorder=3)
    if not plane.holds(estimate):
        return
    middle = plane.at(estimate)
    left = min(plane.at(max(low, plane.low)), middle - 0.8)
    right = max(plane.at(min(high, plane.high)), middle + 0.8)
    ax.add_patch(Polygon(
        [(left, y), (middle, y - 1.55), (right, y), (middle, y + 1.55)], closed=True, zorder=4,
        facecolor=deep if data["strong"] else "white", edgecolor=deep, linewidth=0.9,
        joinstyle="miter", gid="diamond",
    ))  # fmt: skip


def _open_tick(ax: Axes, x: float, y: float) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle(
        (x - 0.45, y - 1.3), 0.9, 2.6, facecolor="white", zorder=4, linewidth=0.8,
        edgecolor=style.colour("comparison"), gid="unprinted",
    ))  # fmt: skip
