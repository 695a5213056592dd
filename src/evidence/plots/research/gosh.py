"""GOSH plot: the pooled effect and heterogeneity of all subsets of the studies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.facts import number
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import Scale, effect_axis, finish, interval, require


def gosh_figure(
    table: pd.DataFrame,
    *,
    every: bool,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "fig-gosh",
) -> Figure:
    """Draw the fits of subsets as a density, with the distribution of each along its edge.

    Parameters
    ----------
    table : pandas.DataFrame
        ``estimate`` and ``I2`` (percent) of each subset; NaN where it could not be fitted.
    every : bool
        Whether these are all subsets.
    scale : {"difference", "log"}
        Whether effects are logarithms of ratios.
    title : str
        What the horizontal axis shows.
    label : str
        Label of the figure.

    Returns
    -------
    Figure
    """
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    require(table, "estimate", "I2")
    known = table[["estimate", "I2"]].dropna()
    require(known)
    x, y = known["estimate"].to_numpy(float), known["I2"].to_numpy(float)
    fig = style.figure(130, 105)
    axes = fig.subplot_mosaic([["top", "."], ["main", "side"]], height_ratios=[1, 4],
                              width_ratios=[5, 1])  # fmt: skip
    ramp = LinearSegmentedColormap.from_list("lake", [style.colour("sky"), style.colour("deep")])
    main = axes["main"]
    main.hexbin(x, y, gridsize=34, cmap=ramp, norm=LogNorm(), mincnt=1, linewidths=0.1)
    middle = float(np.median(x))
    main.axvline(middle, color=style.colour("caution"), lw=1.0)
    main.set_ylim(-3, 103)
    main.set_ylabel("I², %")
    effect_axis(main.xaxis, scale, title)
    axes["top"].hist(x, bins=50, color=style.colour("programme"))
    axes["side"].hist(y, bins=40, orientation="horizontal", color=style.colour("programme"))
    axes["top"].set_xlim(main.get_xlim())
    axes["side"].set_ylim(main.get_ylim())
    for name in ("top", "side"):
        axes[name].axis("off")
    low, high = (float(q) for q in np.quantile(x, [0.05, 0.95]))
    count = number(len(known))
    what = f"all {count} subsets" if every else f"{count} randomly drawn subsets"
    alt = (
        f"Pooled effect and I² of {what}: the middle nine tenths of "
        f"effects run from {interval(low, high, scale)}, of I² from "
        f"{interval(*np.quantile(y, [0.05, 0.95]).tolist())} per cent."
    )
    caption = (
        f"Fits of {what}; darker where there are more. Two clouds "
        "tell of a study, or a group of them, that differs from the rest."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
