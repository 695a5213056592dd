"""P values of studies."""

import pandas as pd
import pytest

from evidence.errors import UsageError
from evidence.synthesis import meta
from evidence.synthesis.bias import p_values


def test_sides_and_names():
    data = pd.DataFrame({"y": [1.959964, 0.0, -1.0], "v": 1.0}, index=["a", "b", "c"])
    greater = p_values("y", "v", data)
    assert list(greater.index) == ["a", "b", "c"]
    assert greater.to_numpy() == pytest.approx([0.025, 0.5, 0.8413447], rel=1e-5)
    less = p_values(data["y"], data["v"], alternative="less")
    assert (greater + less).to_numpy() == pytest.approx(1)
    both = p_values(meta(data["y"], data["v"]), alternative="two.sided")
    assert both.to_numpy() == pytest.approx([0.05, 1, 0.3173105], rel=1e-5)
    with pytest.raises(UsageError, match="alternative"):
        p_values("y", "v", data, alternative="both")
