"""The drawings of needs and of spending, on frames that show every case."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from evidence.plots.needs import needs_figure
from evidence.plots.spend import spend_figure


def needs(**change):
    row = {
        "key": "a", "group": "School", "label": "Absence", "value_text": "22%",
        "note": "England 18%", "verdict": "worse", "missing": "", "centre": 18.0, "spread": 2.0,
        "turn": 1.0, "value": 22.0, "lower": 21.0, "upper": 23.0, "region": 19.0,
    }  # fmt: skip
    return row | change


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def place_of(figure, marker):
    """Horizontal places of all marks of one shape, in millimetres from the left."""
    lines = [line for line in figure.axes[0].lines if line.get_marker() == marker]
    return [float(np.ravel(line.get_xdata())[0]) for line in lines]


NEAR = pd.DataFrame({"key": ["a"] * 3, "value": [17.0, 20.0, np.nan]})


def draw(*rows, near=NEAR, columns=1):
    return needs_figure(
        pd.DataFrame(rows), near, place="Kent", region="South East", columns=columns
    )


def test_worse_is_always_to_the_right():
    high = draw(needs(value=22.0))
    low = draw(needs(value=14.0, lower=13.0, upper=15.0, turn=-1.0))
    better = draw(needs(value=14.0, lower=13.0, upper=15.0, verdict="better"))
    # The first diamond is the legend's.
    assert place_of(high, "D")[1] == pytest.approx(place_of(low, "D")[1])
    middle = 92 / 2
    assert place_of(high, "D")[1] > middle > place_of(better, "D")[1]


def test_shape_tells_what_stands_out():
    assert len(place_of(draw(needs()), "D")) == 2
    assert len(place_of(draw(needs(verdict="no")), "D")) == 1
    assert "worse" in texts(draw(needs()))
    assert "worse" not in texts(draw(needs(verdict="no")))


def test_what_lies_beyond_the_strip_is_shown_at_its_edge():
    far = draw(needs(value=60.0, lower=55.0, upper=65.0))
    near = draw(needs())
    assert len(place_of(far, ">")) == 1
    assert place_of(near, ">") == []
    assert place_of(far, "D")[1] <= 92


def test_a_missing_value_says_why_and_has_no_strip():
    shown = draw(needs(missing="withheld", value=np.nan, lower=np.nan, upper=np.nan, verdict=""))
    assert "withheld" in texts(shown)
    assert "22%" not in texts(shown)
    no_centre = draw(needs(centre=np.nan))
    assert "no comparison can be made" in texts(no_centre)


def test_no_interval_no_region_no_spread_no_neighbours_still_draws():
    bare = draw(needs(lower=np.nan, upper=np.nan, region=np.nan, spread=np.nan), near=NEAR.iloc[:0])
    assert len(place_of(bare, "D")) == 2


def test_two_columns_share_the_groups_in_order():
    rows = [needs(key=str(n), group=f"G{n // 2}", label=f"L{n}") for n in range(6)]
    one, two = draw(*rows), draw(*rows, columns=2)
    assert two.get_figheight() < one.get_figheight()
    assert two.get_figwidth() * 25.4 == pytest.approx(166)
    shown = texts(two)
    assert [t for t in shown if t.startswith("G")] == ["G0", "G1", "G2"]


def test_a_long_name_gets_a_second_line_in_the_legend():
    rows = pd.DataFrame([needs()])
    short = needs_figure(rows, NEAR, place="Kent", region="South East", columns=2)
    long = needs_figure(rows, NEAR, place="Westmorland & Furness",
                        region="Yorkshire and The Humber", columns=2)  # fmt: skip
    assert long.get_figheight() > short.get_figheight()


def test_a_frame_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="columns missing: \\['turn'\\]"):
        needs_figure(pd.DataFrame([needs()]).drop(columns="turn"), NEAR, place="x", region="y")
    with pytest.raises(ValueError, match="one or two"):
        draw(needs(), columns=3)


def spend(shares, england=(50.0, 52.0, 54.0)):
    return pd.DataFrame({
        "key": "a", "label": "Care", "period": ["2022-23", "2023-24", "2024-25"],
        "share": shares, "england_share": england,
    })  # fmt: skip


def test_first_and_last_shares_are_printed():
    shown = texts(spend_figure(spend([40.0, 41.0, 42.5]), place="Kent"))
    for words in ("Kent", "England", "Care", "40.0%", "42.5%", "50.0%", "54.0%", "2022-23"):
        assert words in shown


def test_a_place_alone_has_no_england():
    shown = texts(spend_figure(spend([40.0, 41.0, 42.5], [np.nan] * 3), place="City"))
    assert "England" not in shown


def test_nothing_little_and_unknown_are_three_things():
    assert "none" in texts(spend_figure(spend([1.0, 0.5, 0.0]), place="Kent"))
    assert "under 0.1%" in texts(spend_figure(spend([1.0, 0.5, 0.01]), place="Kent"))
    unknown = texts(spend_figure(spend([np.nan] * 3), place="Kent"))
    assert "no figure here" in unknown
    assert "none" not in unknown


def test_close_ends_do_not_cover_each_other():
    fig = spend_figure(spend([40.0, 53.0, 54.1]), place="Kent")
    labels = {t.get_text(): t for t in fig.findobj(Text) if t.get_text() in ("54.0%", "54.1%")}
    renderer = FigureCanvasAgg(fig).get_renderer()
    boxes = [label.get_window_extent(renderer) for label in labels.values()]
    assert len(boxes) == 2
    # Text boxes have room above and below the digits.
    overlap = min(b.y1 for b in boxes) - max(b.y0 for b in boxes)
    assert overlap < 0.45 * boxes[0].height


def test_a_spend_frame_without_its_columns_is_refused():
    with pytest.raises(ValueError, match="share"):
        spend_figure(spend([1.0, 2.0, 3.0]).drop(columns="share"), place="x")
    with pytest.raises(ValueError, match="two or three"):
        spend_figure(spend([1.0, 2.0, 3.0]), place="x", columns=4)
