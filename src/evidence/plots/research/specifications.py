"""Specification curve: the estimates of every defensible analysis, in order of size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evidence.facts import number
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import Scale, effect_axis, finish, interval, require, shown


def specifications_figure(
    table: pd.DataFrame,
    choices: Sequence[str],
    *,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "fig-specifications",
) -> Figure:
    """Draw a specification curve.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per analysis: ``estimate``, ``ci_lower``, ``ci_upper`` and a column for each choice.
    choices : sequence of str
        Names of the columns that say what was chosen.
    scale : {"difference", "log"}
        Whether effects are logarithms of ratios.
    title : str
        What the vertical axis shows.
    label : str
        Label of the figure.

    Returns
    -------
    Figure

    References
    ----------
    Simonsohn U, Simmons JP, Nelson LD (2020). Specification curve analysis. Nature Human Behaviour
    4, 1208-1214.
    Voracek M, Kossmeier M, Tran US (2019). Which data to meta-analyze, and how? Zeitschrift für
    Psychologie 227, 64-82.
    """
    require(table, "estimate", "ci_lower", "ci_upper", *choices)
    table = table.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
    require(table)
    y = table["estimate"].to_numpy(float)
    low, high = table["ci_lower"].to_numpy(float), table["ci_upper"].to_numpy(float)
    away = (low > 0) | (high < 0)
    options = [
        (choice, str(option))
        for choice in choices
        for option in dict.fromkeys(table[choice].astype(str))
    ]
    below = 5.0 * len(options) + 4.0 * len(choices)
    height = min(235.0, 62 + below)
    fig = style.figure(style.TEXT_WIDTH, height)
    top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=[52, below])
    x = np.arange(len(table))
    for mask, colour in ((away, "programme"), (~away, "muted")):
        top.vlines(x[mask], low[mask], high[mask], color=style.colour(colour), alpha=0.5,
                   lw=max(0.4, min(2.0, 120 / len(x))))  # fmt: skip
        top.scatter(
            x[mask],
            y[mask],
            s=max(3.0, min(18.0, 900 / len(x))),
            zorder=3,
            color=style.colour("programme" if colour == "programme" else "comparison"),
        )
    top.axhline(0, color=style.colour("ink"), lw=0.8)
    effect_axis(top.yaxis, scale, title)
    top.tick_params(axis="x", length=0)
    position, ticks, names = 0.0, [], []
    for number_, (choice, option) in enumerate(options):
        if number_ and options[number_ - 1][0] != choice:
            position += 0.8
        here = (table[choice].astype(str) == option).to_numpy(bool)
        bottom.scatter(x[here], np.full(int(here.sum()), position), marker="|", linewidth=0.9,
                       s=30, color=style.colour("ink"))  # fmt: skip
        ticks.append(position)
        names.append(f"{choice}: {option}")
        position += 1.0
    bottom.set_yticks(ticks, names, fontsize=7.8)
    bottom.set_ylim(position - 0.4, -0.6)
    bottom.set_xticks([])
    bottom.spines["bottom"].set_visible(False)
    bottom.set_xlabel("Analyses, from the smallest estimate to the largest")
    share = 100 * float(away.mean())
    alt = (
        f"{number(len(table))} analyses: estimates from {interval(y[0], y[-1], scale)}, median "
        f"{shown(float(np.median(y)), scale)}; the interval excludes no effect in "
        f"{number(share)} per cent of them."
    )
    caption = (
        "Each column is one defensible analysis; the marks below say what was chosen. The analyses "
        "share the same studies, so their number adds no evidence."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
