"""L'Abbé plot: the risk with the programme against the risk without it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evidence.facts import count_words
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.plots.research.base import Array, finish, require


def labbe_figure(
    studies: pd.DataFrame,
    *,
    effect: float | None = None,
    measure: str = "RR",
    label: str = "fig-labbe",
) -> Figure:
    """Draw a L'Abbé plot.

    Parameters
    ----------
    studies : pandas.DataFrame
        ``programme`` and ``control``: shares of people with the outcome, 0 to 1; ``n``: people.
    effect : float, optional
        Pooled effect on the scale of analysis, drawn as a line.
    measure : {"RR", "OR", "RD"}
        What the effect is: logarithm of a risk ratio or odds ratio, or a risk difference.
    label : str
        Label of the figure.

    Returns
    -------
    Figure

    References
    ----------
    L'Abbé KA, Detsky AS, O'Rourke K (1987). Meta-analysis in clinical research. Annals of Internal
    Medicine 107, 224-233.
    """
    require(studies, "programme", "control", "n")
    if measure not in ("RR", "OR", "RD"):
        raise ValueError(f"the measure is RR, OR or RD, not {measure!r}")
    y, x = studies["programme"].to_numpy(float), studies["control"].to_numpy(float)
    n = studies["n"].to_numpy(float)
    top = min(1.0, 1.12 * float(max(x.max(), y.max(), 0.05)))
    fig = style.figure(110, 105)
    ax = fig.add_subplot()
    ax.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    ax.plot([0, top], [0, top], color=style.colour("muted"), lw=0.8, zorder=1)
    if effect is not None:
        risk = np.linspace(0, top, 200)
        ax.plot(risk, _treated(risk, effect, measure), color=style.colour("caution"), lw=1.3,
                ls=(0, (5, 2)), zorder=2, label="pooled effect")  # fmt: skip
        ax.legend(loc="upper left")
    ax.scatter(x, y, s=18 + 180 * n / n.max(), color=style.colour("programme"), alpha=0.75,
               edgecolor="white", linewidth=0.6, zorder=3)  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    ax.set_xlabel("Share with the outcome, control group")
    ax.set_ylabel("Share with the outcome, programme group")
    fewer, more = int((y < x).sum()), int((y > x).sum())
    alt = (
        f"Risks of {count_words(len(x), 'study', 'studies')}: the outcome is rarer with the "
        f"programme in {fewer} and more common in {more}."
    )
    caption = (
        "Each circle is a study, larger with more people. Below the diagonal the outcome is rarer "
        "with the programme."
    )
    return finish(fig, alt=alt, caption=caption, label=label)


def _treated(risk: Array, effect: float, measure: str) -> Array:
    """The risk with the programme that an effect implies; NaN where it is no risk."""
    if measure == "RD":
        treated = risk + effect
    elif measure == "RR":
        treated = risk * np.exp(effect)
    else:
        with np.errstate(divide="ignore"):
            odds = risk / (1 - risk) * np.exp(effect)
        treated = np.where(risk < 1, odds / (1 + odds), 1.0)
    return np.where((treated >= 0) & (treated <= 1), treated, np.nan)
