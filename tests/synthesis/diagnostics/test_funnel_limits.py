"""Limits of a funnel."""

import numpy as np
import pytest

from evidence.errors import UsageError
from evidence.synthesis.diagnostics import funnel_limits
from evidence.synthesis.meta import meta

Y = np.array([0.1, 0.9, -0.4, 0.6, 1.5])
V = np.array([0.01, 0.1, 0.05, 0.2, 0.04])


def test_the_funnel_opens_from_the_pooled_effect_to_the_largest_standard_error():
    fit = meta(Y, V)
    table = funnel_limits(fit, points=11)
    assert table.shape == (11, 6)
    assert table["lower"][0] == table["upper"][0] == fit.beta[0]
    assert table["se"].iloc[-1] == pytest.approx(np.sqrt(0.2))
    np.testing.assert_allclose((table["lower"] + table["upper"]) / 2, fit.beta[0])


def test_an_effect_on_a_contour_has_its_p_value():
    table = funnel_limits(meta(Y, V), contours=[0.05, 0.001])
    for p in (0.05, 0.001):
        row = table.iloc[-1]
        single = meta([row[f"contour_{p:g}"]], [row["se"] ** 2], method="EE", test="z")
        assert single.pvalues.iloc[0] == pytest.approx(p)


def test_what_does_not_suit():
    with pytest.raises(UsageError, match="one centre"):
        funnel_limits(meta(Y, V, exog=np.column_stack([np.ones(5), [1, 2, 3, 4, 6]]), test="z"))
    for options in ({"points": 1}, {"alpha": 0}, {"contours": [1.5]}):
        with pytest.raises(UsageError, match="levels between"):
            funnel_limits(meta(Y, V), **options)
