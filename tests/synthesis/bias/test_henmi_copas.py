"""Henmi and Copas's interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import ModelError, UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import henmi_copas
from evidence.synthesis.bias.henmi_copas import quantile_arrays

V = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8])


def test_the_mean_has_common_effect_weights_and_random_effects_variance():
    y = np.array([0.1, 0.9, -0.4, 1.5, 0.3, -0.8, 0.6, 1.0])
    found = henmi_copas(y, V)
    common = meta(y, V, method="EE", test="z")
    assert found.estimate == pytest.approx(common.params.iloc[0])
    assert found.tau2 == pytest.approx(meta(y, V, method="DL", test="z").tau2)
    share = (1 / V) / (1 / V).sum()
    assert found.se == pytest.approx(np.sqrt(share**2 @ (V + found.tau2)))


@settings(deadline=None, max_examples=15)
@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_origin_and_unit_change_nothing_else(by, unit):
    y = np.array([0.1, 0.9, -0.4, 1.5, 0.3, -0.8, 0.6, 1.0])
    one = henmi_copas(y, V).conf_int().iloc[0]
    other = henmi_copas(by + unit * y, unit**2 * V).conf_int().iloc[0]
    assert other.to_numpy() == pytest.approx(by + unit * one.to_numpy(), abs=1e-7)


@pytest.mark.parametrize(("tau2", "times"), [(0.0, 1), (0.05, 1), (0.1, 5)])
def test_the_quantile_is_that_of_the_simulated_pivot(tau2, times):
    """The mean over its estimated standard error, simulated at the same τ²."""
    rng = np.random.default_rng(6)
    v = np.repeat(V, times)
    y = rng.normal(0, np.sqrt(v + tau2), (100_000, len(v)))
    w = 1 / v
    W, W2 = w.sum(), (w**2).sum()
    mean = y @ w / W
    Q = ((y - mean[:, None]) ** 2) @ w
    tau2_hat = np.maximum(0, (Q - len(v) + 1) / (W - W2 / W))
    pivot = np.abs(mean) / np.sqrt((1 + tau2_hat * W2 / W) / W)
    # The gamma distribution of Q is an approximation.
    assert quantile_arrays(v, tau2) == pytest.approx(np.quantile(pivot, 0.95), rel=0.03)


def test_what_cannot_be_done_and_what_is_said():
    with pytest.raises(ModelError, match="one study"):
        henmi_copas([0.3], [0.1])
    found = henmi_copas([0.1, 0.5, 0.9], [0.1, 0.2, 0.3])
    with pytest.raises(UsageError, match="alpha"):
        found.conf_int(2)
    wide, narrow = found.conf_int(0.01).iloc[0], found.conf_int(0.2).iloc[0]
    assert wide["lower"] < narrow["lower"] < narrow["upper"] < wide["upper"]
    assert "does not remove" in found.summary()
