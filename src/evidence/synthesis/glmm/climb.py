"""Maximum of a likelihood that is a sum over studies.

The log-likelihood of a study depends on a few inputs: its effect, its baseline and the spread of
the random effects. Each input is a linear function of parameters that all studies share, except
that one input may be a parameter of the study itself. Newton's steps then need derivatives in the
few inputs only, all studies at once, and the studies' own parameters are eliminated one by one, so
that the cost grows with the number of studies and not with its cube.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.least_squares import Array

_STEPS = 200
_WIDTH = 5e-3
_FARTHEST = 3.0


@dataclass(frozen=True, eq=False)
class Summit:
    """A maximum of the likelihood.

    Attributes
    ----------
    shared : ndarray, shape (g,)
        Parameters of all studies.
    own : ndarray, shape (k,)
        Parameters of the studies; empty where there are none.
    inputs : ndarray, shape (d, k)
        Inputs of each study there.
    value : float
        Log-likelihood.
    information : ndarray, shape (g, g)
        Observed information of the shared parameters, the studies' own eliminated.
    own_information : ndarray, shape (k,)
        Observed information of the studies' own parameters.
    cross : ndarray, shape (g, k)
        Minus the mixed second derivatives.
    """

    shared: Array
    own: Array
    inputs: Array
    value: float
    information: Array
    own_information: Array
    cross: Array


def climb(
    function: Callable[[Array], Array],
    designs: Array,
    start: Array,
    widths: Callable[[Array], Array],
    *,
    own: int | None = None,
    own_start: Array | None = None,
) -> Summit:
    """Find the maximum of a sum of log-likelihoods.

    Parameters
    ----------
    function : callable
        From inputs of shape (b, d, k), for b sets of parameters, to log-likelihoods, shape (b, k).
    designs : ndarray, shape (d, k, g)
        How inputs depend on the shared parameters; zero throughout for an input that stays at
        zero and for the one that is the studies' own.
    start : ndarray, shape (g,)
        Shared parameters to start from.
    widths : callable
        From inputs of shape (d, k) to the widths, shape (d,), on which the likelihood is nearly
        quadratic in each; derivatives are differences over a small part of them.
    own : int, optional
        The input that is a parameter of the study itself.
    own_start : ndarray, shape (k,), optional
        Where to start with it.

    Returns
    -------
    Summit

    Raises
    ------
    ModelError
        If the search does not converge.
    """
    shared = start.astype(float)
    mine = np.zeros(0) if own_start is None or own is None else own_start.astype(float)
    free = [d for d in range(len(designs)) if d == own or designs[d].any()]

    def inputs(shared: Array, mine: Array) -> Array:
        x = designs @ shared
        if own is not None:
            x[own] = mine
        return x

    def height(shared: Array, mine: Array) -> float:
        with np.errstate(invalid="ignore", over="ignore"):
            value = float(function(inputs(shared, mine)[None]).sum())
        return value if np.isfinite(value) else -np.inf

    value = height(shared, mine)
    if not np.isfinite(value):
        raise ModelError("the likelihood is not finite where the search starts: check the counts")
    for _ in range(_STEPS):
        x = inputs(shared, mine)
        slope, curve = _derivatives(function, x, free, _WIDTH * widths(x))
        gradient = np.einsum("dkg,dk->g", designs, slope)
        information = -np.einsum("dkg,dek,ekh->gh", designs, curve, designs)
        if own is None:
            cross, depth, gap = np.zeros((len(shared), 0)), np.zeros(0), np.zeros(0)
        else:
            gap = slope[own]
            cross = -np.einsum("dkg,dk->gk", designs, curve[:, own])
            depth = -curve[own, own]
        firm = np.maximum(np.abs(depth), 1e-10)
        reduced = information - (cross / firm) @ cross.T
        pull = gradient - cross @ (gap / firm)
        # Where the surface bends upwards the step goes uphill all the same.
        roots, axes = np.linalg.eigh(reduced)
        sizes = np.maximum(np.abs(roots), 1e-10 * max(1.0, float(np.abs(roots).max(initial=0))))
        step = axes @ ((axes.T @ pull) / sizes)
        own_step = (gap - cross.T @ step) / firm
        gain = float(gradient @ step + gap @ own_step)
        # A study whose own parameter runs off to infinity must not hold up the others.
        own_step = np.clip(own_step, -_FARTHEST, _FARTHEST)
        reach = np.abs(designs @ step).max(initial=0.0)
        part = min(1.0, _FARTHEST / reach) if reach > 0 else 1.0
        while part > 1e-8:
            tried, own_tried = shared + part * step, mine + part * own_step
            new = height(tried, own_tried)
            if new >= value - 1e-12 * (1 + abs(value)):
                break
            part /= 2
        else:
            tried, own_tried, new = shared, mine, value
        stuck = tried is shared
        shared, mine, value = tried, own_tried, new
        if gain < 1e-12 or (stuck and gain < 1e-7):
            return Summit(
                shared, mine, inputs(shared, mine), value, reduced, depth, cross
            )  # fmt: skip
        if stuck:
            break
    raise ModelError(
        "the likelihood has no maximum that can be found: the counts may be too sparse for the "
        "model; try method='EE', another model, or mantel_haenszel"
    )


def _derivatives(
    function: Callable[[Array], Array], x: Array, free: list[int], h: Array
) -> tuple[Array, Array]:
    """First and second derivatives of each study in its inputs, shapes (d, k) and (d, d, k).

    Differences of fourth order along each axis, and along the diagonals for mixed derivatives.
    """
    d, k = x.shape
    axes = [(i,) for i in free] + list(combinations(free, 2))
    moves = np.zeros((len(axes), d))
    for row, axis in zip(moves, axes, strict=True):
        row[list(axis)] = h[list(axis)]
    points = x + np.concatenate(
        [np.zeros((1, d)), *(step * moves for step in (-2, -1, 1, 2))]
    )[:, :, None]  # fmt: skip
    values = function(points)
    middle = values[0]
    low2, low, up, up2 = values[1:].reshape(4, len(axes), k)
    first = (8 * (up - low) - (up2 - low2)) / 12
    second = (16 * (up + low) - (up2 + low2) - 30 * middle) / 12
    slope, curve = np.zeros((d, k)), np.zeros((d, d, k))
    for n, axis in enumerate(axes):
        if len(axis) == 1:
            (i,) = axis
            slope[i], curve[i, i] = first[n] / h[i], second[n] / h[i] ** 2
    for n, axis in enumerate(axes):
        if len(axis) == 2:
            i, j = axis
            straight = curve[i, i] * h[i] ** 2 + curve[j, j] * h[j] ** 2
            curve[i, j] = curve[j, i] = (second[n] - straight) / (2 * h[i] * h[j])
    return slope, curve
