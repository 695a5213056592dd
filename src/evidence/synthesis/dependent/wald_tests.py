"""Joint tests of coefficients with a cluster-robust covariance.

Q = (Cb)'(CVC')⁻¹(Cb) tests q combinations Cb. With few clusters χ² rejects too often, because V is
itself uncertain. The Hotelling tests take it for a Wishart matrix with η degrees of freedom, so
that (η - q + 1)/(ηq)·Q is F with q and η - q + 1; they differ in how η is found. The tests by
eigenvalues decompose Q into q squared t statistics.

References
----------
Tipton E, Pustejovsky JE (2015). Small-sample adjustments for tests of moderators and model fit
using robust variance estimation in meta-regression. Journal of Educational and Behavioral
Statistics 40, 604-634.
Pustejovsky JE, Tipton E (2018). Small-sample methods for cluster-robust variance estimation and
hypothesis testing in fixed effects models. Journal of Business and Economic Statistics 36, 672-683.
Pan W, Wall MM (2002). Small-sample adjustments in using the sandwich variance estimator in
generalized estimating equations. Statistics in Medicine 21, 1429-1441.
Zhang JT (2013). Tests of linear hypotheses in the ANOVA under heteroscedasticity. International
Journal of Advanced Statistics and Probability 1, 9-24.
Fai AHT, Cornelius PL (1996). Approximate F-tests of multiple degree of freedom hypotheses in
generalized least squares analyses of unbalanced split-plot experiments. Journal of Statistical
Computation and Simulation 54, 363-378.
Alexander RA, Govern DM (1994). A new and simpler approximation for ANOVA under variance
heterogeneity. Journal of Educational Statistics 19, 91-101.
"""

from __future__ import annotations

import math

import numpy as np

from evidence.errors import UsageError
from evidence.synthesis.dependent.sandwich import Sandwich
from evidence.synthesis.least_squares import Array
from evidence.synthesis.results import WaldTest

TESTS = {
    "HTZ": "Hotelling's T², degrees of freedom from the total variance (Zhang)",
    "HTA": "Hotelling's T², degrees of freedom from all covariances (Pan and Wall)",
    "HTB": "Hotelling's T², degrees of freedom from the covariances of distinct entries",
    "EDF": "eigenvalue decomposition, F by two moments (Fai and Cornelius)",
    "EDT": "eigenvalue decomposition, t made normal (Alexander and Govern)",
    "Naive-F": "F with J - 1 degrees of freedom",
    "chi-sq": "χ²",
}
"""Joint tests by name."""


def wald(found: Sandwich, contrasts: Array, test: str = "HTZ") -> WaldTest:
    """Test that combinations of the coefficients are all zero.

    Parameters
    ----------
    found : Sandwich
        Coefficients and their robust covariance.
    contrasts : ndarray, shape (q, p)
        One combination in each row, linearly independent.
    test : str
        See :data:`TESTS`.

    Returns
    -------
    WaldTest
        F with its two degrees of freedom; the second is infinite where the test is by χ²/q. NaN
        where the test does not exist: too few degrees of freedom, or a robust covariance of less
        than full rank.

    Raises
    ------
    UsageError
        If there is no such test.
    """
    if test not in TESTS:
        raise UsageError(f"test is one of {', '.join(TESTS)}, not {test!r}")
    value, cov = contrasts @ found.beta, found.covariance(contrasts)
    q = len(value)
    if np.linalg.matrix_rank(cov, hermitian=True) < q:
        return WaldTest(math.nan, (float(q), math.nan), math.nan)
    if test.startswith("ED"):
        return _by_eigenvalues(found, contrasts, test)
    size = float(value @ np.linalg.solve(cov, value))
    if test == "chi-sq":
        return _f_test(size / q, q, math.inf)
    if test == "Naive-F":
        return _f_test(size / q, q, found.n_clusters - 1)
    eta = _wishart_df(found, contrasts, test)
    return _f_test((eta - q + 1) / (eta * q) * size, q, eta - q + 1)


def _f_test(statistic: float, q: int, df: float) -> WaldTest:
    from scipy.special import chdtrc, fdtrc

    if not df > 0:
        return WaldTest(math.nan, (float(q), df), math.nan)
    tail = chdtrc(q, q * statistic) if math.isinf(df) else fdtrc(q, df, statistic)
    return WaldTest(statistic, (float(q), float(df)), float(tail))


def _standardised(found: Sandwich, contrasts: Array) -> Array:
    """Combinations that span the same, whose robust covariance has mean I."""
    values, vectors = np.linalg.eigh(found.moments(contrasts)[0])
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T @ contrasts, dtype=float)


def _wishart_df(found: Sandwich, contrasts: Array, test: str) -> float:
    """η of the Wishart matrix that the standardised robust covariance is taken for.

    With η degrees of freedom and mean I its entries have the variances 2/η on the diagonal and 1/η
    elsewhere, and no covariances but with themselves.
    """
    q = len(contrasts)
    _, spread = found.moments(_standardised(found, contrasts))
    if test == "HTZ":
        return float(q * (q + 1) / np.einsum("stst->", spread))
    if test == "HTA":
        # Covariances times η are nearest to those at η = 1.
        one = np.eye(q)
        wishart = np.einsum("su,tv->stuv", one, one) + np.einsum("sv,tu->stuv", one, one)
        return float((wishart * spread).sum() / (spread * spread).sum())
    # Each pair of distinct entries counts once, and all entries like those of the diagonal.
    lower = np.tril_indices(q)
    pairs = np.tril(spread[lower][:, lower[0], lower[1]])
    return float(2 * np.trace(pairs) / (pairs * pairs).sum())


def _by_eigenvalues(found: Sandwich, contrasts: Array, test: str) -> WaldTest:
    standard = _standardised(found, contrasts)
    q = len(standard)
    size, vectors = np.linalg.eigh(found.covariance(standard))
    rotated = vectors.T @ standard
    t = rotated @ found.beta / np.sqrt(size)
    df = found.satterthwaite(rotated)
    if test == "EDT":
        return _f_test(float((_normalised(t, df) ** 2).sum()) / q, q, math.inf)
    if not (df > 4).all():
        # The variance of the square of t is infinite.
        return WaldTest(math.nan, (float(q), math.nan), math.nan)
    mean = (df / (df - 2)).sum()
    variance = (2 * df**2 * (df - 1) / ((df - 2) ** 2 * (df - 4))).sum()
    # F with q and η degrees of freedom has the same mean and variance, but for a factor. The ratio
    # is never below that of χ²/q, 2: each t² has a larger one.
    ratio = q * variance / mean**2
    eta = 4 + (2 * q + 4) / (ratio - 2)
    return _f_test(float(eta / (eta - 2) / mean * (t @ t)), q, float(eta))


def _normalised(t: Array, df: Array) -> Array:
    """Hill's normalising transformation of t statistics, as in Alexander and Govern (1994)."""
    a = df - 0.5
    b = 48 * a**2
    c = np.sqrt(a * np.log1p(t**2 / df))
    return np.asarray(
        c + (c**3 + 3 * c) / b
        - (4 * c**7 + 33 * c**5 + 240 * c**3 + 855 * c) / (10 * b**2 + 8 * b * c**4 + 1000 * b),
        dtype=float,
    )  # fmt: skip
