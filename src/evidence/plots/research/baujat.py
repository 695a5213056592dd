"""Baujat plot: what each study adds to the heterogeneity, and how it moves the result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import finish, listing, name_points, require, shown


def baujat_figure(table: pd.DataFrame, *, label: str = "fig-baujat") -> Figure:
    """Draw a Baujat plot.

    Parameters
    ----------
    table : pandas.DataFrame
        ``heterogeneity`` and ``influence`` of each study; the index names it.
    label : str
        Label of the figure.

    Returns
    -------
    Figure
        The three studies farthest out are named.
    """
    require(table, "heterogeneity", "influence")
    x = table["heterogeneity"].to_numpy(float)
    y = table["influence"].to_numpy(float)
    names = [str(name) for name in table.index]
    fig = style.figure(120, 85)
    ax = fig.add_subplot()
    far = x / (np.nanmax(x) or 1.0) + y / (np.nanmax(y) or 1.0)
    top = [int(i) for i in np.argsort(-far, kind="stable")[:3]]
    ax.set_xlim(0, (np.nanmax(x) or 1.0) * 1.12)
    ax.set_ylim(0, (np.nanmax(y) or 1.0) * 1.12)
    ax.scatter(x, y, s=26, color=style.colour("programme"), edgecolor="white", linewidth=0.6,
               clip_on=False)  # fmt: skip
    name_points(ax, x, y, names, top)
    ax.set_xlabel("Part of the heterogeneity (squared Pearson residual)")
    ax.set_ylabel("Influence on the result")
    first = top[0]
    alt = (
        f"Baujat plot of {len(x)} studies. Farthest out: {listing([names[i] for i in top])}; "
        f"{names[first]} has heterogeneity {shown(x[first])} and influence {shown(y[first])}."
    )
    caption = (
        "Studies to the right disagree with the model; studies at the top move its result. One "
        "that is both deserves a second look, not removal."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
