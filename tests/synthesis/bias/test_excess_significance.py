"""The test of excess significance."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binomtest, norm

from evidence.errors import UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import excess_significance
from evidence.synthesis.bias.excess_significance import _test, power_arrays

V = np.array([0.01, 0.04, 0.09, 0.02, 0.5, 0.03])
Y = np.array([0.25, 0.45, 0.7, 0.3, 0.1, 0.4])


@pytest.mark.parametrize("alternative", ["two.sided", "greater", "less"])
@pytest.mark.parametrize("width", [None, 5, 1])
@pytest.mark.parametrize("tau2", [1e-4, 0.05, 4.0])
def test_power_is_averaged_over_true_effects(alternative, width, tau2):
    def power(effect, se):
        z = norm.isf(0.025 if alternative == "two.sided" else 0.05)
        above, below = norm.sf(z - effect / se), norm.cdf(-z - effect / se)
        return {"two.sided": above + below, "greater": above, "less": below}[alternative]

    found = power_arrays(0.2, V, tau2, 0.05, alternative, width)
    tau, reach = np.sqrt(tau2), width or 9
    for v, value in zip(V, found, strict=True):
        cut = [(sign * 1.96 * np.sqrt(v) - 0.2) / tau for sign in (-1, 1)]
        cut = [c for c in cut if abs(c) < reach]
        want, _ = quad(
            lambda u, v=v: norm.pdf(u) * power(0.2 + tau * u, np.sqrt(v)), -reach, reach,
            points=cut or None, limit=500, epsabs=1e-12,
        )  # fmt: skip
        assert value == pytest.approx(want, rel=1e-7, abs=1e-10)


def test_the_exact_distribution_sums_over_all_outcomes():
    found = excess_significance(Y, V, method="EE", test="exact")
    p = found.power.to_numpy()
    total = 0.0
    for outcome in product([0, 1], repeat=6):
        if sum(outcome) >= found.observed:
            total += np.prod(np.where(outcome, p, 1 - p))
    assert found.observed == 5
    assert found.pvalue == pytest.approx(total)


@pytest.mark.parametrize("side", ["greater", "less", "two.sided"])
def test_the_binomial_test(side):
    found = excess_significance(Y, V, method="EE", test="binom", test_alternative=side)
    want = binomtest(found.observed, 6, found.expected / 6, side.replace("two.", "two-"))
    assert found.pvalue == pytest.approx(want.pvalue)


@pytest.mark.parametrize("test", ["chi2", "binom", "exact"])
@pytest.mark.parametrize("method", ["EE", "REML"])
def test_at_the_limit_the_p_value_is_what_was_asked(test, method):
    found = excess_significance(Y, V, method=method, test=test, limit_alpha=0.2)
    # The same effects about the limit, the studies' results being what they were.
    power = power_arrays(found.limit, V, found.tau2)
    assert _test(found.observed, power, test, "greater")[1] == pytest.approx(0.2)


def test_turned_effects_have_the_same_excess():
    one, other = excess_significance(meta(Y, V)), excess_significance(meta(-Y, V))
    assert other.pvalue == pytest.approx(one.pvalue)
    assert other.limit == pytest.approx(-one.limit)
    less = excess_significance(-Y, V, alternative="less")
    assert less.pvalue == pytest.approx(excess_significance(Y, V, alternative="greater").pvalue)


def test_no_significant_study_has_no_limit():
    found = excess_significance([0.01, -0.02, 0.03], [0.1, 0.2, 0.3])
    assert found.observed == 0
    assert np.isnan(found.limit)
    assert "does not show that nothing is missing" in found.report()


@pytest.mark.parametrize(
    "options",
    [{"test": "t"}, {"alpha": 0}, {"alternative": "up"}, {"test_alternative": "up"},
     {"method": "X"}, {"integration_width": 0}],
)  # fmt: skip
def test_options_that_do_not_exist(options):
    with pytest.raises(UsageError, match=next(iter(options))):
        excess_significance(Y, V, **options)
