"""Likelihoods of the models for counts, made of a family and of how effects enter it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evidence.synthesis.glmm.climb import Summit, climb
from evidence.synthesis.glmm.families import Family
from evidence.synthesis.glmm.integral import log_integral, nodes
from evidence.synthesis.least_squares import Array

EFFECT, BASELINE, SPREAD = 0, 1, 2


@dataclass(eq=False)
class Likelihood:
    """Log-likelihood of counts; their predictors are offset + baseline + effect·code + random part.

    The effect of study i is xᵢ'β + τzᵢ; it is coded in the random part in a way of its own, which
    says how the heterogeneity is shared out between the groups.

    Attributes
    ----------
    family : callable
        Distribution of the counts; see :mod:`evidence.synthesis.glmm.families`.
    offset : ndarray, shape (k, j)
        Known parts of the predictors.
    code, random_code : ndarray, shape (j,)
        Of the effect, and of its random part.
    baseline : {"none", "own", "random"}
        No baseline (one group, or conditional on the total), one of each study's own, or random
        ones about a common mean.
    correlated : bool
        Whether random baselines and effects are correlated.
    points : int
        Points of the adaptive quadrature, in each dimension.
    """

    family: Family
    offset: Array
    code: Array
    random_code: Array
    baseline: Literal["none", "own", "random"]
    correlated: bool
    points: int
    _rule: tuple[Array, Array] | None = None
    _modes: Array | None = None

    @property
    def spreads(self) -> int:
        """Number of parameters of the random effects: τ; σ, τ; or σ, τ and one for correlation."""
        return 1 if self.baseline != "random" else 3 if self.correlated else 2

    def __call__(self, inputs: Array) -> Array:
        """Log-likelihoods, shape (b, k), of inputs of shape (b, 2 + spreads, k).

        The inputs are effect, baseline, and the spreads: τ; or σ, the part of τ that is
        independent of the baseline, and the part that goes with it.
        """
        base, loadings = self._predictors(inputs)
        dimensions = loadings.shape[-1]
        if self._rule is None or self._modes is None or self._modes.shape[1] != base.shape[1]:
            self._rule = nodes(self.points, dimensions)
            self._modes = np.zeros((1, base.shape[1], dimensions))
        value, modes = log_integral(self.family, base, loadings, self._rule, self._modes)
        # The modes at the first set of parameters are near those of the next call.
        self._modes = modes[:1]
        return value

    def given_modes(self, inputs: Array) -> float:
        """Log-likelihood of all counts with the random effects at their modes.

        Parameters
        ----------
        inputs : ndarray, shape (2 + spreads, k)
            As in a call.
        """
        self(inputs[None])
        assert self._modes is not None
        base, loadings = self._predictors(inputs[None])
        eta = base + np.einsum("bjr,bkr->bkj", loadings, self._modes)
        return float(self.family(eta)[0].sum())

    def _predictors(self, inputs: Array) -> tuple[Array, Array]:
        """Predictors without random effects, and what these add; as in ``log_integral``."""
        effect, baseline = inputs[:, EFFECT], inputs[:, BASELINE]
        spread = inputs[:, SPREAD:, 0]
        base = self.offset + baseline[..., None] + effect[..., None] * self.code
        if self.baseline != "random":
            return base, (spread * self.random_code)[..., None]
        with_baseline = spread[:, :1] * np.ones_like(self.random_code)
        if self.correlated:
            with_baseline += spread[:, 2:3] * self.random_code
        return base, np.stack([with_baseline, spread[:, 1:2] * self.random_code], axis=-1)

    def maximise(
        self,
        X: Array,
        start: Array,
        baseline: Array,
        spread: Array,
        unit: float,
        *,
        saturated: bool = False,
    ) -> Summit:
        """Find the maximum.

        Parameters
        ----------
        X : ndarray, shape (k, p)
            Model matrix of the effects.
        start : ndarray, shape (k,)
            Effects to start from.
        baseline : ndarray, shape (k,)
            Baselines to start from.
        spread : ndarray, shape (spreads,)
            Parameters of the random effects to start from; those at zero stay there.
        unit : float
            Standard error of a precise study, the width of the likelihood in the spreads near zero.
        saturated : bool
            Give each study an effect of its own, instead of X.

        Returns
        -------
        Summit
            The shared parameters are β (none when saturated), the mean baseline where baselines are
            random, and the spreads that are not zero.
        """
        k, p = X.shape
        own = EFFECT if saturated else BASELINE if self.baseline == "own" else None
        moving = np.flatnonzero(spread)
        columns: list[tuple[int, Array]] = []
        first: list[float] = []
        if not saturated:
            columns += [(EFFECT, X[:, i]) for i in range(p)]
            first += np.linalg.lstsq(X, start, rcond=None)[0].tolist()
        if self.baseline == "random":
            columns.append((BASELINE, np.ones(k)))
            first.append(float(baseline.mean()))
        columns += [(SPREAD + int(i), np.ones(k)) for i in moving]
        first += spread[moving].tolist()
        designs = np.zeros((SPREAD + self.spreads, k, len(columns)))
        for n, (place, column) in enumerate(columns):
            designs[place, :, n] = column

        def widths(inputs: Array) -> Array:
            size = np.maximum(np.abs(inputs[:, 0]), unit)
            size[:SPREAD] = 1.0
            return size

        own_start = {EFFECT: start, BASELINE: baseline, None: None}[own]
        return climb(self, designs, np.array(first), widths, own=own, own_start=own_start)
