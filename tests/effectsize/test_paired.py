"""Changes within one group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.effectsize import MEASURES, escalc, small_sample_factor

people = st.fixed_dictionaries({
    "mean1": st.floats(1, 50), "sd1": st.floats(0.5, 20), "mean2": st.floats(1, 50),
    "sd2": st.floats(0.5, 20), "n": st.integers(3, 1000), "r": st.floats(-0.95, 0.95),
})  # fmt: skip


def one(measure: str, x: dict[str, float]) -> tuple[float, float]:
    found = escalc(measure, **{name: x[name] for name in MEASURES[measure].needs})
    return float(found.yi[0]), float(found.vi[0])


@given(st.integers(0, 2**31))
def test_mean_change_is_that_of_the_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 50
    before, after = rng.normal(10, 3, n), rng.normal(12, 4, n)
    change = after - before
    found = escalc(
        "MC", mean1=after.mean(), sd1=after.std(ddof=1), mean2=before.mean(),
        sd2=before.std(ddof=1), n=n, r=np.corrcoef(after, before)[0, 1],
    )  # fmt: skip
    assert found.yi[0] == pytest.approx(change.mean())
    assert found.vi[0] == pytest.approx(change.var(ddof=1) / n)


@pytest.mark.parametrize("measure", ["MC", "SMCC", "SMCR", "SMCRH", "ROMC", "VRC", "CVRC"])
@given(x=people)
def test_variance_is_positive(measure: str, x: dict[str, float]) -> None:
    assert one(measure, x)[1] > 0


@pytest.mark.parametrize("measure", ["MC", "SMCC", "ROMC", "VRC", "CVRC"])
@given(x=people)
def test_before_and_after_change_places(measure: str, x: dict[str, float]) -> None:
    y, v = one(measure, x)
    other = {**x, "mean1": x["mean2"], "mean2": x["mean1"], "sd1": x["sd2"], "sd2": x["sd1"]}
    assert one(measure, other) == pytest.approx((-y, v), rel=1e-7, abs=1e-12)


@given(people)
def test_raw_score_standardisation(x: dict[str, float]) -> None:
    d = (x["mean1"] - x["mean2"]) / x["sd1"]
    expected = d * float(small_sample_factor(x["n"] - 1))
    assert one("SMCR", x)[0] == pytest.approx(expected)
    assert one("SMCRH", x)[0] == pytest.approx(expected)
