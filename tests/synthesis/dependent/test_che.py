import numpy as np
import pandas as pd
import pytest

from evidence.synthesis.dependent import compound_symmetric, multilevel
from evidence.synthesis.dependent.che import che
from evidence.synthesis.dependent.robust import robust


def test_is_the_three_steps_in_one(literature):
    data = literature()
    found = che("yi", "vi", "study", data, mods="~ outcome", rho=0.7)
    V = compound_symmetric(data["vi"], data["study"], 0.7)
    fit = multilevel("yi", V, data, mods="~ outcome", random="~ 1 | study/effect")
    steps = robust(fit, data["study"])
    pd.testing.assert_frame_equal(found.to_frame(), steps.to_frame(), rtol=1e-6)
    assert found.tau2 == pytest.approx(fit.sigma2.iloc[0])
    assert found.omega2 == pytest.approx(fit.sigma2.iloc[1])
    assert found.I2["total"] == pytest.approx(fit.I2["total"])


def test_takes_plain_arrays_and_any_index(literature):
    data = literature()
    named = che("yi", "vi", "study", data.set_index(data.index + 100))
    plain = che(data["yi"].to_numpy(), data["vi"].to_numpy(), data["study"].to_numpy())
    assert named.bse["Intercept" if "Intercept" in named.bse else "const"] == pytest.approx(
        plain.bse.iloc[0]
    )


def test_no_interval_below_four_degrees_of_freedom(literature):
    data = literature(studies=4)
    found = che("yi", "vi", "study", data)
    assert found.df.iloc[0] < 4
    assert found.conf_int().isna().all(axis=None)
    assert "no interval is given" in found.summary()
    assert "<p>fewer than 4 degrees" in found._repr_html_()
    asked = che("yi", "vi", "study", data, min_df=0)
    assert np.isfinite(asked.conf_int()).all(axis=None)
    assert "do not rely" in asked.warnings[0]


def test_rows_are_dropped_when_asked(literature):
    data = literature()
    gap = data.assign(yi=data["yi"].where(data.index != 5))
    found = che("yi", "vi", "study", gap, missing="drop")
    rest = che("yi", "vi", "study", data.drop(index=5))
    assert found.bse.iloc[0] == pytest.approx(rest.bse.iloc[0])
    assert any("row 5" in warning for warning in found.warnings)


def test_summary_says_what_a_paper_needs(literature):
    found = che("yi", "vi", "study", literature())
    text = found.summary()
    assert "random effects of study and study/effect" in text or "study/effect_" in text
    assert "ρ = 0.6" in text
    assert "95 % prediction interval" in text
    assert found.to_dict()["rho"] == 0.6
    assert repr(found).startswith("<CheResults CR2")
