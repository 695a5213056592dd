"""Evidence gap map: where there are trials, and where there are none."""

from __future__ import annotations

import pandas as pd

from evidence.facts import count_words
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import finish, require


def gap_map_figure(cells: pd.DataFrame, *, label: str = "fig-gap-map") -> Figure:
    """Draw the number of trials by row and column.

    Parameters
    ----------
    cells : pandas.DataFrame
        Index: rows of the map, columns: its columns, both in the order of showing; values: number
        of trials, zero where there is none.
    label : str
        Label of the figure.

    Returns
    -------
    Figure
        Circles whose area grows with the number, which is printed in them.

    Raises
    ------
    ValueError
        If there is nothing to draw or a number is negative or not whole.
    """
    require(cells)
    values = cells.to_numpy(float)
    if not ((values >= 0) & (values == values.round())).all():
        raise ValueError("numbers of trials are whole and not negative")
    rows, columns = values.shape
    fig = style.figure(style.TEXT_WIDTH, min(235.0, 42 + 8.0 * rows))
    ax = fig.add_subplot()
    most = values.max() or 1.0
    for i in range(rows):
        for j in range(columns):
            n = int(values[i, j])
            if n:
                ax.scatter([j], [i], s=60 + 260 * n / most, color=style.colour("programme"),
                           linewidth=0)  # fmt: skip
                ax.text(j, i, str(n), ha="center", va="center", fontsize=8, color="white",
                        fontweight=600)  # fmt: skip
            else:
                ax.scatter([j], [i], s=10, color=style.colour("rule"), linewidth=0)
    ax.set_xticks(range(columns), [str(name) for name in cells.columns], rotation=40, ha="right",
                  rotation_mode="anchor", fontsize=8)  # fmt: skip
    ax.set_yticks(range(rows), [str(name) for name in cells.index], fontsize=8)
    ax.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6))
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0)
    empty = int((values == 0).sum())
    alt = (
        f"Map of {rows} rows by {columns} columns with {count_words(int(values.sum()), 'trial')} "
        f"in all; {empty} of {values.size} cells hold none."
    )
    caption = (
        "Trials in this database by cell; a small grey dot marks a cell without any, which is no "
        "statement about effects."
    )
    return finish(fig, alt=alt, caption=caption, label=label)
