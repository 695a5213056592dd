import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def literature():
    """Make a literature of studies with several effects each."""
    return make


def make(seed=1, studies=12, per=4):
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(studies), per)
    k = len(study)
    vi = rng.uniform(0.01, 0.1, k)
    yi = (0.3 + rng.normal(0, 0.3, studies)[study] + rng.normal(0, 0.15, k)
          + rng.normal(0, np.sqrt(vi)))  # fmt: skip
    return pd.DataFrame({
        "study": [f"s{s:02d}" for s in study], "effect": np.arange(k), "yi": yi, "vi": vi,
        "year": 1990.0 + study, "outcome": np.resize(["conduct", "mood"], k),
        "country": np.resize(["IE", "UK", "US"], k),
    })  # fmt: skip
