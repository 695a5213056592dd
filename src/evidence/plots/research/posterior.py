"""Posterior of a mean effect, with the distribution of the true effect of a new study."""

from __future__ import annotations

import numpy as np
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


def posterior_figure(
    densities: pd.DataFrame,
    *,
    scale: Scale = "difference",
    title: str = "Effect",
    label: str = "fig-posterior",
) -> Figure:
    """Draw the densities of the mean effect and of a new study's true effect.

    Parameters
    ----------
    densities : pandas.DataFrame
        On an even grid of effects in ascending order: ``effect``, ``mean`` and ``prediction``
        (densities).
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
    require(densities, "effect", "mean", "prediction")
    x = densities["effect"].to_numpy(float)
    fig = style.figure(130, 75)
    ax = fig.add_subplot()
    zero_line(ax)
    words = []
    for name, colour, what in (
        ("prediction", "caution", "true effect of a new study"),
        ("mean", "programme", "mean effect"),
    ):
        y = densities[name].to_numpy(float)
        ax.fill_between(x, y, color=style.colour(colour), alpha=0.25, linewidth=0)
        ax.plot(x, y, color=style.colour(colour), label=what)
        below = np.concatenate([[0.0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))])
        low, middle, high = np.interp([0.025, 0.5, 0.975], below / below[-1], x)
        chance = 1 - float(np.interp(0.0, x, below / below[-1]))
        words.append(
            f"{what}: median {shown(float(middle), scale)}, 95 per cent within "
            f"{interval(float(low), float(high), scale)}, probability above no effect "
            f"{shown(chance)}"
        )
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_ylim(0, None)
    effect_axis(ax.xaxis, scale, title)
    ax.legend(loc="upper right")
    caption = (
        "Posterior densities given the studies, the model and its priors: of the mean effect, and "
        "of the true effect that one more study of this kind would have."
    )
    return finish(fig, alt="Posterior densities. " + "; ".join(words) + ".", caption=caption,
                  label=label)  # fmt: skip
