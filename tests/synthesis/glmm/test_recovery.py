"""Models for counts find what the counts were made from, by simulation."""

import numpy as np
import pytest

from evidence.synthesis.glmm import glmm

RUNS = 300
EFFECT, TAU2, SIGMA2, BASELINE = -0.5, 0.15, 0.4, -2.5


def _counts(rng, k, rate):
    """Two-by-two tables; the heterogeneity is shared by both groups, baselines are random."""
    n1, n2 = rng.integers(80, 300, k), rng.integers(80, 300, k)
    base = rng.normal(rate, np.sqrt(SIGMA2), k)
    own = rng.normal(EFFECT, np.sqrt(TAU2), k)
    a = rng.binomial(n1, 1 / (1 + np.exp(-base - own / 2)))
    c = rng.binomial(n2, 1 / (1 + np.exp(-base + own / 2)))
    return {"a": a, "b": n1 - a, "c": c, "d": n2 - c}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["UM.FS", "UM.RS", "CM.EL"])
def test_effect_and_heterogeneity_are_recovered_and_intervals_hold(model):
    rng = np.random.default_rng(20)
    fits = [glmm("OR", model=model, **_counts(rng, 40, BASELINE)) for _ in range(RUNS)]
    effects = np.array([fit.beta[0] for fit in fits])
    noise = 4 * effects.std() / np.sqrt(RUNS)
    assert effects.mean() == pytest.approx(EFFECT, abs=noise)
    assert np.mean([fit.bse.iloc[0] for fit in fits]) == pytest.approx(effects.std(), rel=0.15)
    inside = [
        (fit.conf_int()["lower"].iloc[0] <= EFFECT <= fit.conf_int()["upper"].iloc[0])
        for fit in fits
    ]
    assert np.mean(inside) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / RUNS)
    # Maximum likelihood is biased downwards by some 1/k; with a baseline for each study it is more
    # so (Jackson and others 2018, model 4).
    low = 0.5 if model == "UM.FS" else 0.85
    assert low * TAU2 < np.mean([fit.tau2 for fit in fits]) < 1.1 * TAU2
    if model == "UM.RS":
        assert np.mean([fit.sigma2 for fit in fits]) == pytest.approx(SIGMA2, rel=0.1)


@pytest.mark.slow
def test_rare_events_bias_the_usual_method_and_not_these():
    """Adding a half to zeros pulls the log odds ratio towards zero (Stijnen and others 2010)."""
    from evidence.effectsize import escalc
    from evidence.synthesis.meta import meta

    rng = np.random.default_rng(21)
    exact, usual = [], []
    for _ in range(RUNS):
        counts = _counts(rng, 30, -5.0)
        exact.append(glmm("OR", model="CM.EL", **counts).beta[0])
        effects = escalc("OR", drop00=True, **counts)
        known = np.isfinite(effects.yi)
        usual.append(meta(effects.yi[known], effects.vi[known], method="ML", test="z").beta[0])
    noise = 4 * np.std(exact) / np.sqrt(RUNS)
    assert np.mean(exact) == pytest.approx(EFFECT, abs=noise)
    assert abs(np.mean(usual) - EFFECT) > noise


@pytest.mark.slow
def test_rates_and_proportions_are_recovered():
    rng = np.random.default_rng(22)
    k, rates, shares = 40, [], []
    for _ in range(RUNS):
        own = rng.normal(EFFECT, np.sqrt(TAU2), k)
        time1, time2 = rng.uniform(50, 400, k), rng.uniform(50, 400, k)
        base = rng.normal(-3, np.sqrt(SIGMA2), k)
        # Shared by both groups: else the total of events would tell of the effect, which a model
        # conditional on the total leaves out of account.
        x1, x2 = rng.poisson([time1 * np.exp(base + own / 2), time2 * np.exp(base - own / 2)])
        rates.append(glmm("IRR", model="CM.EL", x1=x1, time1=time1, x2=x2, time2=time2).to_dict())
        n = rng.integers(20, 200, k)
        shares.append(glmm("PLO", x=rng.binomial(n, 1 / (1 + np.exp(-own))), n=n).to_dict())
    for fits in (rates, shares):
        effects = np.array([fit["params"]["const"]["estimate"] for fit in fits])
        assert effects.mean() == pytest.approx(EFFECT, abs=4 * effects.std() / np.sqrt(RUNS))
        assert np.mean([fit["tau2"] for fit in fits]) == pytest.approx(TAU2, rel=0.15)


def test_cost_grows_with_the_number_of_studies_and_not_faster():
    """Twenty times the studies take no more than sixty times as long."""
    import time

    def seconds(k):
        counts = _counts(np.random.default_rng(k), k, BASELINE)
        taken = []
        for _ in range(3):
            start = time.perf_counter()
            glmm("OR", model="UM.FS", **counts)
            taken.append(time.perf_counter() - start)
        return min(taken)

    assert seconds(1000) < 60 * seconds(50)
