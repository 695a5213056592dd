"""Fail-safe numbers do what they say: so many null results are enough, one fewer is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from evidence.errors import UsageError
from evidence.synthesis.bias import fail_safe

many = settings(deadline=None, max_examples=60)
effects = st.integers(0, 10_000).map(
    lambda seed: (lambda rng: (rng.normal(0.5, 0.3, 9), rng.uniform(0.01, 0.2, 9)))(
        np.random.default_rng(seed)
    )
)


@many
@given(effects, st.sampled_from([0.05, 0.01]))
def test_rosenthal(given_effects, alpha):
    y, v = given_effects
    found = fail_safe(y, v, alpha=alpha)

    def p(n):
        return norm.sf(abs((y / np.sqrt(v)).sum()) / np.sqrt(9 + n))

    assert found.pvalue == pytest.approx(p(0))
    assert p(found.n) >= alpha * (1 - 1e-9)
    assert found.n == 0 or p(found.n - 1) < alpha


@many
@given(effects)
def test_rosenberg(given_effects):
    y, v = given_effects
    found = fail_safe(y, v, kind="Rosenberg")
    w = 1 / v

    def p(n):
        return 2 * norm.sf(abs(w @ y) / np.sqrt(w.sum() + n * w.mean()))

    assert found.pvalue == pytest.approx(p(0))
    assert p(found.n) >= 0.05 * (1 - 1e-9)
    assert found.n == 0 or p(found.n - 1) < 0.05


@many
@given(effects, st.floats(0.01, 1))
def test_orwin(given_effects, target):
    y, v = given_effects
    found = fail_safe(y, v, kind="Orwin", target=target)
    assert abs(y.sum()) / (9 + found.n) <= target * (1 + 1e-9)
    assert found.n == 0 or abs(y.sum()) / (9 + found.n - 1) > target
    assert found.target * found.mean >= 0


@pytest.mark.parametrize("weighted", [True, False])
def test_as_many_nulls_as_studies_halve_the_mean(weighted):
    rng = np.random.default_rng(5)
    for _ in range(50):
        y, v = rng.normal(1, 0.2, 7), rng.uniform(0.1, 1, 7)
        assert fail_safe(-y, v, kind="Orwin", weighted=weighted).n == 7


def test_what_is_not_significant_needs_no_null_results():
    found = fail_safe([0.1, -0.1, 0.05], [1.0, 1.0, 1.0])
    assert found.n == 0
    assert "0 unseen null results" in found.report()
    assert "says nothing" in found.summary()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kind": "Fisher"}, "kind"),
        ({"kind": "Orwin", "target": 0}, "target"),
        ({"alpha": 1.5}, "alpha"),
        ({"alpha": 0.6}, "smaller alpha"),
        ({"tails": 3}, "tails"),
    ],
)
def test_options_that_make_no_sense(options, words):
    with pytest.raises(UsageError, match=words):
        fail_safe([0.1, 0.2], [0.1, 0.1], **options)
