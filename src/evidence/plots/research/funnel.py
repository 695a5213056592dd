"""Funnel plot: effects against their standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.facts import count_words
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import Scale, effect_axis, finish, require, shown

_CONTOURS = ((0.10, "sand"), (0.05, "sky"), (0.01, "mist"))


def funnel_figure(
    studies: pd.DataFrame,
    *,
    centre: float,
    limits: bool = True,
    contours: bool = True,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "fig-funnel",
) -> Figure:
    """Draw a funnel plot, contour-enhanced unless told otherwise.

    Parameters
    ----------
    studies : pandas.DataFrame
        One row per study: ``estimate``, ``se`` and, where trim and fill has added some, ``filled``
        (bool).
    centre : float
        The pooled effect, of the filled studies too where there are some.
    limits : bool
        Whether to draw where 95% of studies of one common effect would lie.
    contours : bool
        Whether to shade where a single study is significant at 10, 5 and 1 per cent against zero
        (Peters and others 2008).
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
    from scipy.special import ndtri

    require(studies, "estimate", "se")
    y, se = studies["estimate"].to_numpy(float), studies["se"].to_numpy(float)
    filled = studies["filled"].to_numpy(bool) if "filled" in studies else np.zeros(len(y), bool)
    fig = style.figure(140, 95)
    ax = fig.add_subplot()
    deepest = float(se.max()) * 1.05
    depth = np.linspace(0, deepest, 60)
    reach = float(ndtri(0.975)) * deepest
    low = min(float(y.min()), centre - reach * 0.9)
    high = max(float(y.max()), centre + reach * 0.9)
    pad = 0.04 * (high - low)
    ax.set_xlim(low - pad, high + pad)
    ax.set_ylim(deepest, 0)
    if contours:
        shades = [("p above 0.10", "paper"), ("0.05 to 0.10", "sand"), ("0.01 to 0.05", "sky")]
        bounds = [0.0, *(float(ndtri(1 - p / 2)) for p, _ in _CONTOURS)]
        ax.set_facecolor(style.colour("mist"))
        for (name, colour), inner, outer in zip(shades, bounds, bounds[1:], strict=False):
            for side in (-1, 1):
                ax.fill_betweenx(
                    depth, side * inner * depth, side * outer * depth, lw=0, zorder=0,
                    color=style.colour(colour), label=name if side == 1 else None,
                )  # fmt: skip
        ax.fill_between([], [], color=style.colour("mist"), label="p below 0.01")
    if limits:
        for side in (-1, 1):
            ax.plot(centre + side * ndtri(0.975) * depth, depth, color=style.colour("comparison"),
                    lw=0.9, ls=(0, (4, 3)), zorder=2)  # fmt: skip
    ax.axvline(centre, color=style.colour("programme"), lw=1.2, zorder=2)
    ax.scatter(y[~filled], se[~filled], s=26, color=style.colour("programme"), edgecolor="white",
               linewidth=0.6, zorder=3, label="study")  # fmt: skip
    if filled.any():
        ax.scatter(y[filled], se[filled], s=26, facecolor="white",
                   edgecolor=style.colour("caution"), linewidth=1.2, zorder=3,
                   label="filled in")  # fmt: skip
    effect_axis(ax.xaxis, scale, title)
    ax.set_ylabel("Standard error")
    for patch in ax.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=1.2
    ).get_patches():
        patch.set(edgecolor=style.colour("rule"), linewidth=0.6)  # one of them is white
    k = int((~filled).sum())
    outside = int((np.abs(y - centre) > ndtri(0.975) * se)[~filled].sum())
    alt = (
        f"Funnel plot of {count_words(k, 'study', 'studies')} about a pooled effect of "
        f"{shown(centre, scale)}: {int((y[~filled] < centre).sum())} below and "
        f"{int((y[~filled] > centre).sum())} above it, {outside} outside the limits within which "
        "95 per cent would lie if all had one effect."
    )
    if filled.any():
        alt += f" Trim and fill adds {count_words(int(filled.sum()), 'study', 'studies')}."
    caption = (
        "Each dot is a study; the smaller its standard error, the higher it stands. Shading shows "
        "where a study alone is significant. An uneven funnel can come from results that were not "
        "published, and also from studies that truly differ."
        if contours
        else "Each dot is a study; the smaller its standard error, the higher it stands."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
