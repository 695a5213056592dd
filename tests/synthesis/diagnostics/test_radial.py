"""Galbraith's coordinates."""

import numpy as np
import pytest

from evidence.errors import UsageError
from evidence.synthesis.diagnostics import radial
from evidence.synthesis.meta import meta

Y = np.array([0.1, 0.9, -0.4, 0.6, 1.5])
V = np.array([0.01, 0.1, 0.05, 0.2, 0.02])


@pytest.mark.parametrize("method", ["EE", "REML"])
def test_the_line_through_the_origin_has_the_pooled_effect_as_its_slope(method):
    fit = meta(Y, V, method=method, test="z")
    table = radial(fit)
    slope = (table["x"] @ table["y"]) / (table["x"] @ table["x"])
    assert slope == pytest.approx(fit.beta[0])
    centred = radial(fit, center=True)
    assert centred["x"] @ centred["y"] == pytest.approx(0, abs=1e-9)


def test_moderators_have_no_single_line():
    with pytest.raises(UsageError, match="without moderators"):
        radial(meta(Y, V, exog=np.column_stack([np.ones(5), [1, 2, 3, 4, 6]]), test="z"))
