"""Forest of refits: the pooled effect as studies are added, or with each left out."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import (
    Scale,
    effect_axis,
    finish,
    interval,
    require,
    shown,
    zero_line,
)


def refits_figure(
    table: pd.DataFrame,
    *,
    kind: Literal["leave-one-out", "cumulative"],
    reference: float,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "",
) -> Figure:
    """Draw the refits of a model.

    Parameters
    ----------
    table : pandas.DataFrame
        ``estimate``, ``ci_lower`` and ``ci_upper`` of each refit, in order; the index names the
        study left out or added.
    kind : {"leave-one-out", "cumulative"}
        What the refits are.
    reference : float
        The effect with all studies.
    scale : {"difference", "log"}
        Whether effects are logarithms of ratios.
    title : str
        What the horizontal axis shows.
    label : str
        Label of the figure; by default ``fig-`` and the kind.

    Returns
    -------
    Figure
    """
    require(table, "estimate", "ci_lower", "ci_upper")
    if kind not in ("leave-one-out", "cumulative"):
        raise ValueError(f"the kind is leave-one-out or cumulative, not {kind!r}")
    if len(table) > 60:
        raise ValueError("more than 60 refits are not readable in one figure")
    names = [str(name) for name in table.index]
    left_out = kind == "leave-one-out"
    fig = style.figure(140, min(235.0, 22 + 4.6 * len(table)))
    ax = fig.add_subplot()
    zero_line(ax)
    ax.axvline(reference, color=style.colour("caution"), lw=1.0, ls=(0, (4, 3)))
    rows = range(len(table))
    ax.hlines(rows, table["ci_lower"], table["ci_upper"], color=style.colour("programme"), lw=1.4)
    ax.scatter(table["estimate"], rows, s=22, color=style.colour("programme"), zorder=3)
    ax.set_yticks(rows, [("without " if left_out else "+ ") + name for name in names], fontsize=8)
    ax.set_ylim(len(table) - 0.4, -0.6)
    effect_axis(ax.xaxis, scale, title)
    low, high = table["estimate"].min(), table["estimate"].max()
    if left_out:
        turns = [n for n, a, b in zip(names, table["ci_lower"], table["ci_upper"], strict=True)
                 if a > 0 or b < 0]  # fmt: skip
        alt = (
            f"Pooled effect with each of {len(table)} studies left out: from "
            f"{interval(low, high, scale)}, against {shown(reference, scale)} with all. The "
            f"interval excludes no effect in {len(turns)} of {len(table)} refits."
        )
        caption = "The pooled effect with one study left out at a time; dashed: with all of them."
    else:
        last = table.iloc[-1]
        alt = (
            f"Pooled effect as {len(table)} studies are added one by one: from "
            f"{shown(table['estimate'].iloc[0], scale)} with the first to "
            f"{shown(last['estimate'], scale)} "
            f"({interval(last['ci_lower'], last['ci_upper'], scale)}) with all."
        )
        caption = "The pooled effect as studies are added from top to bottom; dashed: all of them."
    return finish(fig, alt=alt, caption=caption, label=label or f"fig-{kind}")
