"""Likelihood of the variance parameters of a multilevel model, and its maximum.

The marginal covariance is M(φ) = V + Σ φ_c A_c, where the entries φ of the covariance matrices of
the random effects follow from the parameters θ and A_c says where an entry stands. With W = M⁻¹ and
P = W - WX(X'WX)⁻¹X'W the restricted score of φ_c is ½(y'PA_cPy - tr PA_c), and the expected and the
observed information are ½ tr(PA_cPA_d) and y'PA_cPA_dPy - ½ tr(PA_cPA_d). M is made of small
independent blocks, so each of these is a sum over blocks.

References
----------
Harville DA (1977). Maximum likelihood approaches to variance component estimation and to related
problems. Journal of the American Statistical Association 72, 320-338.
Gilmour AR, Thompson R, Cullis BR (1995). Average information REML: an efficient algorithm for
variance parameter estimation in linear mixed models. Biometrics 51, 1440-1450.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evidence.errors import ModelError
from evidence.synthesis.dependent.batches import chain, components
from evidence.synthesis.dependent.covariance import Covariance, Places
from evidence.synthesis.dependent.crossed import Crossed, cross
from evidence.synthesis.dependent.rotated import Rotated, rotate
from evidence.synthesis.dependent.stacked import Block, Stacked, StackedPoint
from evidence.synthesis.dependent.structures import Structure, Term
from evidence.synthesis.least_squares import Array

_STEPS = 100
# Effects of a cluster above which its matrix is not inverted if there is another way.
_LARGE = 40
_CLOSE = 1e-10
_SLACK = 1e-12
# A ridge as good as level, along which parameters are not told apart.
_FLAT = 1e-7


class Model:
    """Effects, design, sampling covariance and random terms, laid out in independent blocks.

    Parameters
    ----------
    y : ndarray, shape (k,)
        Effects.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    V : Covariance
        Of the sampling errors.
    terms : sequence of Term
        Random terms.
    restricted : bool
        REML rather than ML.
    """

    def __init__(
        self, y: Array, X: Array, V: Covariance, terms: Sequence[Term], *, restricted: bool
    ):
        self.y, self.X, self.V, self.terms, self.restricted = y, X, V, tuple(terms), restricted
        self.lower = self._gather("lower")
        self.upper = self._gather("upper")
        ends = np.cumsum([term.structure.n_parameters for term in self.terms]).tolist()
        self.places = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    @cached_property
    def clusters(self) -> Places:
        """Number of the independent cluster of each effect, shape (k,)."""
        edges = [(self.V.first, self.V.second), *(chain(term.group) for term in self.terms)]
        return components(len(self.y), edges)

    @cached_property
    def stacked(self) -> Stacked:
        """The effects in stacks of small matrices."""
        return Stacked(self.y, self.X, self.V, self.terms, self.clusters)

    @cached_property
    def layout(self) -> Stacked | Rotated | Crossed:
        """The quickest layout that the random terms allow."""
        B = np.column_stack([self.X, self.y])
        if (found := rotate(B, self.V, self.terms)) is not None:
            return found
        if np.bincount(self.clusters).max() > _LARGE:
            return cross(B, self.V, self.terms) or self.stacked
        return self.stacked

    @cached_property
    def log_size(self) -> float:
        """Logarithm of |X'X|."""
        return float(np.linalg.slogdet(self.X.T @ self.X)[1])

    def _gather(self, name: str) -> Array:
        return np.concatenate([np.empty(0), *(getattr(t.structure, name) for t in self.terms)])

    def parts(self, theta: Array) -> list[tuple[Structure, Array]]:
        """The structure and parameters of each term."""
        return [(term.structure, theta[place])
                for term, place in zip(self.terms, self.places, strict=True)]  # fmt: skip

    def entries(self, theta: Array) -> Array:
        """Entries φ of all covariance matrices of random effects."""
        return np.concatenate([np.empty(0), *(s.values(part) for s, part in self.parts(theta))])

    def at(self, theta: Array) -> State:
        """The model at given parameters."""
        return State(self, theta)

    def subset(self, rows: NDArray[np.bool_]) -> Model:
        """The model of some of the effects."""
        terms = [term.subset(rows) for term in self.terms]
        return Model(
            self.y[rows], self.X[rows], self.V.subset(rows), terms, restricted=self.restricted
        )

    def starts(self) -> list[Array]:
        """Parameters from which to search: the excess variance in equal parts or mostly in one."""
        beta = np.linalg.solve(self.X.T @ self.X, self.X.T @ self.y)
        spread = float(np.mean((self.y - self.X @ beta) ** 2))
        v = self.V.variances
        excess = max(spread - float(v.mean()), 0.1 * min(spread, float(np.median(v))), 0.0)
        n = len(self.terms)
        if n == 0:
            return [np.empty(0)]
        shares = [np.full(n, 1 / n), np.full(n, 0.1 / n)]
        if n > 1:
            shares += [np.where(np.arange(n) == i, 0.95, 0.05 / (n - 1)) for i in range(n)]
        return [
            np.concatenate([t.structure.start(excess * part)
                            for t, part in zip(self.terms, share, strict=True)])
            for share in shares
        ]  # fmt: skip


class State:
    """The likelihood and its derivatives at one value of the parameters."""

    def __init__(self, model: Model, theta: Array):
        self.model, self.theta = model, theta
        self.phi = model.entries(theta)
        p = model.X.shape[1]
        self._point = model.layout.at(self.phi)
        self.log_determinant = self._point.log_determinant
        cross = self._point.cross
        self.information = 0.5 * (cross[:p, :p] + cross[:p, :p].T)
        try:
            self.cov = np.asarray(np.linalg.inv(self.information), dtype=float)
        except np.linalg.LinAlgError as error:
            raise ModelError(
                "the weights cannot be worked out: variances differ by too many powers of ten"
            ) from error
        self.beta = self.cov @ cross[:p, p]
        # One step of refinement, where large and small weights meet.
        self.beta = self.beta + self.cov @ (cross[:p, p] - self.information @ self.beta)
        self.ypy = float(cross[p, p] - cross[:p, p] @ self.beta)

    @cached_property
    def llf(self) -> float:
        """Log-likelihood with all constants; the restricted one has ½ log|X'X| for X as given."""
        value = -0.5 * (self.log_determinant + self.ypy)
        k, p = self.model.X.shape
        if not self.model.restricted:
            return value - 0.5 * k * math.log(2 * math.pi)
        inner = float(np.linalg.slogdet(self.information)[1])
        return value - 0.5 * ((k - p) * math.log(2 * math.pi) + inner - self.model.log_size)

    @cached_property
    def _stack(self) -> StackedPoint:
        if isinstance(self._point, StackedPoint):
            return self._point
        return self.model.stacked.at(self.phi)

    @property
    def _blocks(self) -> Iterator[tuple[Block, Array, Array]]:
        """Stacks of clusters, each with W and W[X y]."""
        point = self._stack
        return zip(self.model.stacked.blocks, point.W, point.WB, strict=True)

    @cached_property
    def py(self) -> Array:
        """Py = W(y - Xb), shape (k,)."""
        turn = np.append(-self.beta, 1.0)
        return self._scatter([WB @ turn for _, _, WB in self._blocks])

    def trace_p(self) -> float:
        """Trace of P."""
        p = self.model.X.shape[1]
        total, inner = 0.0, np.zeros((p, p))
        for block, W, WB in self._blocks:
            real = block.batch.rows < len(self.model.y)
            total += float(np.einsum("mii->mi", W)[real].sum())
            WX = WB[..., :p].reshape(-1, p)
            inner += WX.T @ WX
        return total - float(np.trace(self.cov @ inner))

    def _scatter(self, parts: Sequence[Array]) -> Array:
        """From arrays of shape (m, n) of the blocks to one of shape (k,)."""
        found = np.empty(len(self.model.y) + 1)
        for block, values in zip(self.model.stacked.blocks, parts, strict=True):
            found[block.batch.rows] = values
        return found[:-1]

    def weight_sums(self) -> Array:
        """Sums of the rows of W, shape (k,)."""
        k = len(self.model.y)
        return self._scatter(
            [(W @ (block.batch.rows < k)[..., None])[..., 0] for block, W, _ in self._blocks]
        )

    def hat(self) -> Array:
        """Diagonal of the hat matrix X(X'WX)⁻¹X'W, shape (k,)."""
        p = self.model.X.shape[1]
        return self._scatter([
            np.einsum("mnp,pq,mnq->mn", block.B[..., :p], self.cov, WB[..., :p])
            for block, _, WB in self._blocks
        ])  # fmt: skip

    def marginal(self) -> Covariance:
        """M, the covariance of the effects about their mean."""
        k = len(self.model.y)
        diagonal, firsts, seconds, values = [], [], [], []
        for block in self.model.stacked.blocks:
            M = block.covariance(self.phi)
            diagonal.append(np.einsum("mii->mi", M))
            one, other = np.triu_indices(M.shape[-1], 1)
            i, j, value = block.batch.rows[:, one], block.batch.rows[:, other], M[:, one, other]
            kept = (value != 0) & (j < k)
            firsts.append(i[kept])
            seconds.append(j[kept])
            values.append(value[kept])
        return Covariance(
            self._scatter(diagonal), *(np.concatenate(x) for x in (firsts, seconds, values))
        )

    def random_effects(self, place: int) -> tuple[Array, Array]:
        """Predicted random effect of a term in each row, and the variance of its error; (k,) each.

        With T the covariance of the effects of the term these are TPy and diag(T - TPT).
        """
        p = self.model.X.shape[1]
        ends = np.cumsum([0, *(t.structure.n_entries for t in self.model.terms)])
        own = slice(ends[place], ends[place + 1])
        means, variances = [], []
        turn = np.append(-self.beta, 1.0)
        for block, W, WB in self._blocks:
            T = sum(
                (value * mask for value, mask in zip(self.phi[own], block.masks[own], strict=True)),
                np.zeros_like(block.V),
            )
            TWX = T @ WB[..., :p]
            means.append((T @ (WB @ turn)[..., None])[..., 0])
            variances.append(
                np.einsum("mii->mi", T)
                - np.einsum("mij,mij->mi", T @ W, T)
                + np.einsum("mip,pq,miq->mi", TWX, self.cov, TWX)
            )
        return self._scatter(means), self._scatter(variances)

    @cached_property
    def _entry_derivatives(self) -> tuple[Array, Array, Array]:
        """Score, observed and expected information of the entries φ."""
        p = self.model.X.shape[1]
        turn = np.eye(p + 1)
        turn[:p, p] = -self.beta
        once, twice, trace, square = self._point.moments()
        q = len(trace)
        once, twice = turn.T @ once @ turn, turn.T @ twice @ turn
        S, t, quadratic = once[:, :p, :p], once[:, :p, p], once[:, p, p]
        average = twice[:, :, p, p] - t @ self.cov @ t.T
        if self.model.restricted:
            CS = self.cov @ S
            trace = trace - np.trace(CS, axis1=1, axis2=2)
            inner = (twice[:, :, :p, :p] * self.cov).sum(axis=(2, 3))
            flat = CS.reshape(q, p * p)
            square = square + flat @ CS.transpose(0, 2, 1).reshape(q, p * p).T - 2 * inner
        return 0.5 * (quadratic - trace), average - 0.5 * square, 0.5 * square

    @cached_property
    def derivatives(self) -> tuple[Array, Array, Array]:
        """Score, observed and expected information of the parameters θ.

        The expected information has the curvature of the entries at the score as it is, not zero as
        expected: a parameter whose own effect vanishes at zero would have no information there.
        """
        score, observed, expected = self._entry_derivatives
        parts = self.model.parts(self.theta)
        if all(structure.entries is None for structure, _ in parts):
            return score, observed, expected
        from scipy.linalg import block_diag

        J = block_diag(*(structure.jacobian(part) for structure, part in parts))
        ends = np.cumsum([structure.n_entries for structure, _ in parts])[:-1]
        bent = block_diag(*(
            structure.curvature(part, slope)
            for (structure, part), slope in zip(parts, np.split(score, ends), strict=True)
        ))  # fmt: skip
        return J.T @ score, J.T @ observed @ J - bent, J.T @ expected @ J - bent


def maximise(
    model: Model,
    starts: Sequence[Array] | None = None,
    fixed: NDArray[np.bool_] | None = None,
) -> State:
    """Parameters of the highest likelihood, between their bounds.

    Newton's method where the observed information is positive, else Fisher's scoring; steps are
    halved until the likelihood rises, and stop at the bounds.

    Parameters
    ----------
    model : Model
        What to fit.
    starts : sequence of ndarray, shape (q,), optional
        Where to begin, the best of these; by default :meth:`Model.starts`.
    fixed : ndarray of bool, shape (q,), optional
        Parameters that stay as they are at the start.

    Raises
    ------
    ModelError
        If the search does not converge.
    """
    states = [model.at(theta) for theta in (model.starts() if starts is None else starts)]
    if isinstance(model.layout, Rotated):
        return _search(max(states, key=lambda s: s.llf), fixed)
    # Correlations, and crossed terms of few levels, make several maxima more likely.
    return max((_search(state, fixed) for state in states), key=lambda s: s.llf)


def _search(state: State, fixed: NDArray[np.bool_] | None) -> State:
    """The highest likelihood that can be climbed to."""
    model = state.model
    gain = math.inf
    movable = np.ones(len(state.theta), dtype=bool) if fixed is None else ~fixed
    for _ in range(_STEPS):
        score, observed, expected = state.derivatives
        low = (state.theta <= model.lower) & (score <= 0)
        high = (state.theta >= model.upper) & (score >= 0)
        free = np.flatnonzero(movable & ~low & ~high)
        if not len(free):
            return state
        step, newton = _step(score[free], observed, expected, free)
        gain = float(score[free] @ step)
        if gain <= _CLOSE and newton:
            last = state.theta.copy()
            last[free] += step
            inside = np.clip(last, model.lower, model.upper)
            # Newton's error after a step is of the order of its square.
            if (inside == last).all() or gain <= _CLOSE**2:
                return model.at(inside)
        if gain <= _CLOSE**2:
            return state
        state, moved = _climb(model, state, free, step, score)
        if not moved:
            return state
    if gain <= _FLAT:
        return state
    raise ModelError(
        "the likelihood of the variance components has no maximum that can be found: leave out a "
        "component or use a simpler structure"
    )


def _step(score: Array, observed: Array, expected: Array, free: Places) -> tuple[Array, bool]:
    """Newton's step, or Fisher's where the likelihood is not concave."""
    inside = np.ix_(free, free)
    for matrix, newton in ((observed[inside], True), (expected[inside], False)):
        size = np.sqrt(np.abs(np.diag(matrix)))
        size[size == 0] = 1.0
        root, basis = np.linalg.eigh(matrix / np.outer(size, size))
        if newton and root[0] > 1e-8:
            return (basis @ ((basis.T @ (score / size)) / root)) / size, True
    root = np.maximum(np.abs(root), 1e-4)
    return (basis @ ((basis.T @ (score / size)) / root)) / size, False


def _climb(
    model: Model, state: State, free: Places, step: Array, score: Array
) -> tuple[State, bool]:
    """The first point of a halved step at which the likelihood is higher."""
    length = 1.0
    noise = _SLACK * (1 + abs(state.llf))
    for _ in range(60):
        theta = state.theta.copy()
        theta[free] += length * step
        theta = np.clip(theta, model.lower, model.upper)
        rise = float(score @ (theta - state.theta))
        new = model.at(theta)
        if new.llf >= state.llf + 1e-4 * rise - noise and math.isfinite(new.llf):
            return new, not np.array_equal(theta, state.theta)
        length *= 0.5
    return state, False
