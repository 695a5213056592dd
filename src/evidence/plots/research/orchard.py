"""Orchard plot: every effect a dot, with the mean, its interval and the prediction interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.facts import count_words
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import (
    Array,
    Scale,
    effect_axis,
    finish,
    interval,
    require,
    shown,
    zero_line,
)


def orchard_figure(
    studies: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "fig-orchard",
) -> Figure:
    """Draw effects by group.

    Parameters
    ----------
    studies : pandas.DataFrame
        ``group``, ``estimate`` and ``se`` of each effect; larger dots are more precise.
    groups : pandas.DataFrame
        Indexed by group, in the order of showing: ``estimate``, ``ci_lower``, ``ci_upper``, and
        ``pi_lower``, ``pi_upper`` (NaN where there is no prediction).
    scale : {"difference", "log"}
        Whether effects are logarithms of ratios.
    title : str
        What the horizontal axis shows.
    label : str
        Label of the figure.

    Returns
    -------
    Figure

    References
    ----------
    Nakagawa S, Lagisz M, O'Dea RE and others (2021). The orchard plot: cultivating a forest plot
    for use in ecology, evolution, and beyond. Research Synthesis Methods 12, 4-12.
    """
    require(studies, "group", "estimate", "se")
    require(groups, "estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper")
    unknown = set(studies["group"]) - set(groups.index)
    if unknown:
        raise ValueError(f"groups without a row: {sorted(map(str, unknown))}")
    fig = style.figure(style.TEXT_WIDTH, min(235.0, 24 + 24 * len(groups)))
    ax = fig.add_subplot()
    precision = 1 / studies["se"].to_numpy(float)
    sizes = 8 + 60 * precision / precision.max()
    zero_line(ax)
    words = []
    for row, (name, group) in enumerate(groups.iterrows()):
        own = (studies["group"] == name).to_numpy(bool)
        y = studies["estimate"].to_numpy(float)[own]
        ax.scatter(y, row + _swarm(y), s=sizes[own], color=style.colour("programme"), alpha=0.35,
                   linewidth=0, zorder=2)  # fmt: skip
        low, high = float(group["ci_lower"]), float(group["ci_upper"])
        if np.isfinite(group["pi_lower"]):
            ax.plot([group["pi_lower"], group["pi_upper"]], [row, row], lw=1.0, zorder=3,
                    color=style.colour("ink"))  # fmt: skip
        ax.plot([low, high], [row, row], lw=4.0, color=style.colour("ink"), zorder=3,
                solid_capstyle="butt")  # fmt: skip
        ax.scatter([group["estimate"]], [row], s=44, marker="D", zorder=4, linewidth=0.9,
                   color=style.colour("caution"), edgecolor="white")  # fmt: skip
        words.append(
            f"{name}: {count_words(len(y), 'effect')}, mean "
            f"{shown(float(group['estimate']), scale)} ({interval(low, high, scale)})"
        )
    ax.set_yticks(
        range(len(groups)),
        [f"{name}\n{count_words(int((studies['group'] == name).sum()), 'effect')}"
         for name in groups.index],
    )  # fmt: skip
    ax.set_ylim(len(groups) - 0.45, -0.55)
    effect_axis(ax.xaxis, scale, title)
    caption = (
        "Dots are effects, larger where more precise. Diamond: mean; thick line: its 95% interval; "
        "thin line: 95% prediction interval, where the true effect of a new study may lie."
    )
    return finish(fig, alt="; ".join(words) + ".", caption=caption, label=label)


def _swarm(values: Array) -> Array:
    """Offsets that keep dots of like value apart, the same in every run."""
    if len(values) < 2:
        return np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    width = (values.max() - values.min()) / 40 or 1.0
    place = np.zeros(len(values))
    crowd = np.round((values - values.min()) / width).astype(int)
    for cell in np.unique(crowd):
        members = order[crowd[order] == cell]
        steps = np.arange(len(members))
        offset = ((steps + 1) // 2) * np.where(steps % 2, 1, -1)
        place[members] = offset * min(0.07, 0.34 / max(1, len(members) / 2))
    return place
