"""Cluster-robust covariance of generalised least squares, in NumPy alone.

With the weights W, M = (X'WX)⁻¹ and the residuals e, all these covariances are

    M [ Σ_j X_j'W_j A_j e_j e_j' A_j' W_j X_j ] M

over the clusters j. A_j is the identity in CR0 and its multiples. In CR2 it makes the estimate
exactly unbiased if the working covariance Φ is right:

    A_j = D_j' B_j^(-1/2) D_j,    B_j = D_j S_j D_j',    S_j = [(I - H) Φ (I - H)']_jj,

with D_j the upper Cholesky factor of Φ_j, H = XMX'W and the symmetric square root, of the
pseudo-inverse where B_j is singular (Pustejovsky and Tipton 2018, their equations 9 to 11).

Degrees of freedom need the covariances of the vectors t_j = X_j'W_jA_je_j between clusters. These
are a block for each cluster plus a matrix of low rank, hence everything below is a sum over the
clusters and nothing grows with their square.

References
----------
Bell RM, McCaffrey DF (2002). Bias reduction in standard errors for linear regression with
multi-stage samples. Survey Methodology 28, 169-181.
Liang KY, Zeger SL (1986). Longitudinal data analysis using generalized linear models. Biometrika
73, 13-22.
Pustejovsky JE, Tipton E (2018). Small-sample methods for cluster-robust variance estimation and
hypothesis testing in fixed effects models. Journal of Business and Economic Statistics 36, 672-683.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evidence.errors import ModelError
from evidence.synthesis.dependent.batches import Batch, Places, make_batches
from evidence.synthesis.dependent.covariance import Covariance
from evidence.synthesis.least_squares import Array

# Eigenvalues of the adjustment matrix below this share of the working variance are zero: a cluster
# that alone tells a coefficient leaves no residual in that direction.
_SINGULAR = 1e-10

KINDS = {
    "CR0": "without a small-sample correction (CR0)",
    "CR1": "multiplied by J/(J - 1) (CR1)",
    "CR1p": "multiplied by J/(J - p) (CR1p)",
    "CR1S": "multiplied by J(k - 1)/((J - 1)(k - p)) (CR1S)",
    "CR2": "with the bias-reduced linearisation (CR2)",
}
"""Robust covariances by name; J clusters, k effects, p coefficients."""


@dataclass(frozen=True, eq=False)
class Sandwich:
    """A robust covariance and what its distribution under the working model needs.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Coefficients.
    bread : ndarray, shape (p, p)
        M = (X'WX)⁻¹.
    scores : ndarray, shape (J, p)
        X_j'W_jA_je_j of the J clusters.
    factor : float
        By which the sum of squares of the scores is multiplied.
    own : ndarray, shape (J, p, p)
        Part of the covariance of the scores that a cluster has by itself.
    carried : ndarray, shape (J, r, p)
        Z_j: what the common estimate of the coefficients carries from cluster to cluster.
    kernel : ndarray, shape (r, r)
        K: under the working model Cov(t_i, t_j) = δ_ij own_i + Z_i'KZ_j.
    """

    beta: Array
    bread: Array
    scores: Array
    factor: float
    own: Array
    carried: Array
    kernel: Array

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.scores)

    def covariance(self, contrasts: Array) -> Array:
        """Covariance of combinations of the coefficients.

        Parameters
        ----------
        contrasts : ndarray, shape (q, p)
            One combination in each row.

        Returns
        -------
        ndarray, shape (q, q)
        """
        side = self.scores @ (self.bread @ contrasts.T)
        return np.asarray(self.factor * (side.T @ side), dtype=float)

    def satterthwaite(self, contrasts: Array) -> Array:
        """Degrees of freedom of each combination by itself.

        Twice the squared mean over the variance of its robust variance, under the working model
        (Bell and McCaffrey 2002).

        Parameters
        ----------
        contrasts : ndarray, shape (q, p)
            One combination in each row.

        Returns
        -------
        ndarray, shape (q,)
            NaN where the variance is zero under the working model.
        """
        side = self.bread @ contrasts.T
        own = ((self.own @ side) * side).sum(axis=1)
        z = self.carried @ side
        kz = self.kernel @ z
        common = (z * kz).sum(axis=1)
        # Sums of z_j z_j'K over the clusters, of each combination.
        cross = z.transpose(2, 1, 0) @ kz.transpose(2, 0, 1)
        squares = (cross * cross.transpose(0, 2, 1)).sum(axis=(1, 2))
        total = (own * (own + 2 * common)).sum(axis=0) + squares
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((own + common).sum(axis=0) ** 2 / total, dtype=float)

    def moments(self, contrasts: Array) -> tuple[Array, Array]:
        """Mean and covariances of the robust covariance of several combinations together.

        Parameters
        ----------
        contrasts : ndarray, shape (q, p)
            One combination in each row.

        Returns
        -------
        mean : ndarray, shape (q, q)
            Under the working model and without ``factor``.
        covariances : ndarray, shape (q, q, q, q)
            Of the entries [s, t] and [u, v] at [s, t, u, v].
        """
        side = self.bread @ contrasts.T
        own = side.T @ self.own @ side
        z = self.carried @ side
        common = z.transpose(0, 2, 1) @ self.kernel @ z
        pairs = np.einsum("jau,jbv->uvab", z, z, optimize=True)
        kp = self.kernel @ pairs
        # product[s, u, t, v] is the sum over clusters i, j of Cov(t_is, t_ju) Cov(t_it, t_jv).
        product = (
            np.einsum("jsu,jtv->sutv", own, own + common)
            + np.einsum("jsu,jtv->sutv", common, own)
            + np.einsum("uvab,stba->sutv", kp, kp)
        )
        covariances = product.transpose(0, 2, 1, 3) + product.transpose(0, 2, 3, 1)
        return (own + common).sum(axis=0), covariances


def sandwich(
    y: Array,
    X: Array,
    codes: Places,
    covariance: Covariance,
    weights: Array | None = None,
    kind: str = "CR2",
) -> Sandwich:
    """Fit by generalised least squares and estimate the covariance from the clusters.

    Parameters
    ----------
    y : ndarray, shape (k,)
        Effects.
    X : ndarray, shape (k, p)
        Model matrix of full column rank.
    codes : ndarray of int, shape (k,)
        Number of the cluster of each effect, from 0.
    covariance : Covariance
        Working covariance Φ; its blocks lie within the clusters.
    weights : ndarray, shape (k,), optional
        Diagonal of W; by default W = Φ⁻¹.
    kind : str
        See :data:`KINDS`.

    Returns
    -------
    Sandwich

    Raises
    ------
    ModelError
        If there are too few clusters.
    """
    clusters = int(codes.max()) + 1
    needed = X.shape[1] + 1 if kind == "CR1p" else 2
    if clusters < needed:
        raise ModelError(f"{kind} needs at least {needed} clusters; there are {clusters}")
    stacks = [_stack(batch, y, X, covariance, weights) for batch in make_batches(codes)]
    information = _sum([_products(stack.X, stack.WX) for stack in stacks])
    bread = np.asarray(np.linalg.inv(information), dtype=float)
    beta = bread @ _sum([_products(stack.WX, stack.y)[:, 0] for stack in stacks])
    meat = _sum([_products(stack.WX, stack.cov @ stack.WX) for stack in stacks])
    filling: Array = bread if weights is None else bread @ meat @ bread
    parts = [
        _scores(stack, beta, bread, filling, adjust=kind == "CR2", inverse=weights is None)
        for stack in stacks
    ]
    scores, own, carried = (np.concatenate(part) for part in zip(*parts, strict=True))
    kernel: Array = -bread
    if weights is not None:
        kernel = np.block([[filling, -bread], [-bread, np.zeros_like(bread)]])
    return Sandwich(beta, bread, scores, _factor(kind, clusters, *X.shape), own, carried, kernel)


def _factor(kind: str, clusters: int, k: int, p: int) -> float:
    factors = {
        "CR1": clusters / (clusters - 1),
        "CR1p": clusters / max(clusters - p, 1),
        "CR1S": clusters * (k - 1) / ((clusters - 1) * (k - p)),
    }
    return factors.get(kind, 1.0)


@dataclass(frozen=True, eq=False)
class _Stack:
    """Arrays of a batch of m clusters of at most n effects."""

    y: Array
    X: Array
    cov: Array
    WX: Array


def _stack(
    batch: Batch, y: Array, X: Array, covariance: Covariance, weights: Array | None
) -> _Stack:
    own, cov = batch.take(X), covariance.in_batch(batch)
    solved = np.linalg.solve(cov, own) if weights is None else batch.take(weights)[:, :, None] * own
    WX = np.asarray(solved, dtype=float)
    return _Stack(batch.take(y)[:, :, None], own, cov, WX)


def _products(left: Array, right: Array) -> Array:
    """Sum of left'right over the clusters."""
    rows = left.shape[0] * left.shape[1]
    return np.asarray(left.reshape(rows, -1).T @ right.reshape(rows, -1), dtype=float)


def _sum(parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _scores(
    stack: _Stack, beta: Array, bread: Array, filling: Array, *, adjust: bool, inverse: bool
) -> tuple[Array, Array, Array]:
    """Scores of the clusters, and own and carried part of their covariance."""
    X, Xt, cov, U = stack.X, stack.X.transpose(0, 2, 1), stack.cov, stack.WX
    # X'WΦ, which is X' if the weights are the inverse of Φ.
    carried_on = Xt if inverse else U.transpose(0, 2, 1) @ cov
    if adjust:
        if inverse:
            spread = cov - X @ bread @ Xt
        else:
            cross = X @ bread @ carried_on
            spread = cov - cross - cross.transpose(0, 2, 1) + X @ filling @ Xt
        L = np.linalg.cholesky(cov)
        Lt = L.transpose(0, 2, 1)
        values, vectors = np.linalg.eigh(Lt @ spread @ L)
        whole = np.square(Lt @ L).sum(axis=(1, 2))
        kept = values > _SINGULAR * whole[:, None]
        root = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        half = L @ vectors
        U = half @ (root[:, :, None] * (half.transpose(0, 2, 1) @ U))
    Ut = U.transpose(0, 2, 1)
    resid = stack.y - X @ beta[:, None]
    carried = Xt @ U
    if not inverse:
        carried = np.concatenate([carried, carried_on @ U], axis=1)
    return (Ut @ resid)[:, :, 0], Ut @ cov @ U, carried
