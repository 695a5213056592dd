"""PET-PEESE."""

import numpy as np
import pytest

from evidence.synthesis.bias import asymmetry, pet_peese

SE = np.linspace(0.05, 0.5, 30)
NOISE = np.random.default_rng(4).normal(0, 0.1, 30) * SE


def test_lines_and_parabolas_are_found():
    line = pet_peese(0.4 + 1.5 * SE + NOISE, SE**2)
    parabola = pet_peese(0.4 + 1.5 * SE**2 + NOISE, SE**2)
    assert line.params["PET"] == pytest.approx(0.4, abs=0.01)
    assert parabola.params["PEESE"] == pytest.approx(0.4, abs=0.01)


def test_pet_is_eggers_test():
    found = pet_peese(0.4 + 1.5 * SE + NOISE, SE**2)
    egger = asymmetry(0.4 + 1.5 * SE + NOISE, SE**2, model="lm")
    assert found.params["PET"] == pytest.approx(egger.limit()["estimate"])
    lower, upper = found.conf_int().loc["PET"]
    assert (lower, upper) == pytest.approx(tuple(egger.limit()[["lower", "upper"]]))


@pytest.mark.parametrize(("intercept", "selected"), [(0.4, "PEESE"), (-0.4, "PEESE"), (0.0, "PET")])
def test_peese_is_for_effects_that_are_there(intercept, selected):
    sign = -1 if intercept < 0 else 1
    found = pet_peese(intercept + sign * SE + NOISE, SE**2)
    assert found.selected == selected
    assert found.params[selected] == pytest.approx(found.fit.params.iloc[0])


def test_an_intercept_on_the_other_side_of_zero_keeps_pet():
    found = pet_peese(-0.1 + 5 * SE + NOISE, SE**2)
    assert found.pvalues["PET"] < 0.05
    assert found.params["PET"] < 0 < found.mean
    assert found.selected == "PET"


def test_random_effects_versions():
    found = pet_peese(0.4 + SE + NOISE, SE**2, method="REML")
    assert found.fit.method == "REML"
    assert "restricted maximum likelihood" in found.report()
    assert "PEESE" in found.summary()
