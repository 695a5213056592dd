"""Influence panel: eight measures of what each study does to the model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import finish, listing, require

_MEASURES = (
    ("rstudent", "Studentised residual", 0.0),
    ("dffits", "DFFITS", 0.0),
    ("cook_d", "Cook's distance", 0.0),
    ("cov_ratio", "Covariance ratio", 1.0),
    ("tau2_deleted", "τ² without it", None),
    ("Q_deleted", "Q without it", None),
    ("hat", "Leverage", None),
    ("weight", "Weight, %", None),
)


def influence_figure(table: pd.DataFrame, *, label: str = "fig-influence") -> Figure:
    """Draw the influence measures, one small chart each.

    Parameters
    ----------
    table : pandas.DataFrame
        ``rstudent``, ``dffits``, ``cook_d``, ``cov_ratio``, ``tau2_deleted``, ``Q_deleted``,
        ``hat``, ``weight`` and ``influential`` of each study; the index names it.
    label : str
        Label of the figure.

    Returns
    -------
    Figure
    """
    require(table, *(name for name, *_ in _MEASURES), "influential")
    names = [str(name) for name in table.index]
    marked = table["influential"].to_numpy(bool)
    position = np.arange(len(names))
    fig = style.figure(style.TEXT_WIDTH, 125)
    grid = fig.subplots(4, 2, sharex=True)
    few = len(names) <= 20
    for ax, (name, title, line) in zip(grid.flat, _MEASURES, strict=True):
        values = table[name].to_numpy(float)
        if line is not None:
            ax.axhline(line, color=style.colour("rule"), lw=0.8, zorder=0)
        ax.plot(position, values, color=style.colour("rule"), lw=0.8, zorder=1)
        ax.scatter(position[~marked], values[~marked], s=14, color=style.colour("programme"),
                   zorder=2)  # fmt: skip
        ax.scatter(position[marked], values[marked], s=26, marker="D", zorder=3,
                   color=style.colour("caution"), edgecolor="white", linewidth=0.6)  # fmt: skip
        ax.set_title(title, fontsize=8.6)
        ax.tick_params(labelsize=7.6)
        ax.margins(x=0.03, y=0.15)
    for ax in grid[-1]:
        shown = position if few else position[:: max(1, len(names) // 10)]
        ax.set_xticks(shown, [str(i + 1) for i in shown])
        ax.set_xlabel("Study, in the order of the data", fontsize=8.4)
    found = [name for name, mark in zip(names, marked, strict=True) if mark]
    alt = (
        f"Eight influence measures of {len(names)} studies. "
        + (f"Influential: {listing(found)}." if found else "None passes the limits of influence.")
    )  # fmt: skip
    caption = "Diamonds mark studies that pass a limit of influence: " + (
        f"{listing(found)}." if found else "there is none here."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
