"""How often intervals hold what they should, by simulation."""

import math

import numpy as np
import pytest

from evidence.synthesis.meta import meta

RUNS = 2000
MU = 0.3


def _share(k, tau2, **options):
    """Share of runs in which the interval of the mean, and that of a new study, hold the truth."""
    rng = np.random.default_rng([k, round(1000 * tau2)])
    mean = new = 0
    for _ in range(RUNS):
        # Sampling variances between those of trials with some 40 and some 400 children an arm.
        v = rng.uniform(0.005, 0.05, k)
        y = rng.normal(MU, np.sqrt(v + tau2))
        row = meta(y, v, **options).predict().iloc[0]
        mean += row["mean_ci_lower"] <= MU <= row["mean_ci_upper"]
        new += row["pi_lower"] <= rng.normal(MU, math.sqrt(tau2)) <= row["pi_upper"]
    return mean / RUNS, new / RUNS


# Four standard errors of a share of 0.95.
NOISE = 4 * math.sqrt(0.95 * 0.05 / RUNS)


@pytest.mark.slow
@pytest.mark.parametrize("k", [5, 10, 40])
@pytest.mark.parametrize("tau2", [0.02, 0.1])
def test_knapp_hartung_holds_its_level_and_the_normal_interval_does_not(k, tau2):
    mean, _ = _share(k, tau2)
    normal, _ = _share(k, tau2, test="z")
    assert mean > 0.95 - NOISE
    # Known of the normal interval with few studies (IntHout, Ioannidis and Borm 2014).
    assert normal < mean
    if k == 5:
        assert normal < 0.95 - NOISE


@pytest.mark.slow
@pytest.mark.parametrize(("k", "least"), [(10, 0.90), (40, 0.93)])
def test_the_prediction_interval_nears_its_level_as_studies_grow_in_number(k, least):
    """Known to fall short with few studies (Partlett and Riley 2017)."""
    _, new = _share(k, 0.1)
    assert least < new < 0.97


@pytest.mark.slow
def test_without_heterogeneity_the_floor_is_cautious():
    mean, _ = _share(10, 0.0)
    assert mean > 0.95
