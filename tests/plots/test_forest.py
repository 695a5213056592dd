"""Forest plots: what is printed, what is drawn, and that nothing covers anything else."""

import itertools
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.facts import number, sentence
from evidence.plots import Figure, forest_alt, forest_figure, style

SIDES = ("favours the comparison", "favours the programme")
OPTIONS = {"scale": "difference", "axis_label": "difference in standard deviations",
           "favours": SIDES}  # fmt: skip
SUMMARY = ["label", "estimate", "lower", "upper", "pi_lower", "pi_upper", "strong"]
NONE = pd.DataFrame(columns=SUMMARY)
NAN = math.nan
LONG = "Featherstonehaugh-Cholmondeley, Marjoribanks and others of the consortium 2004"
LABELS = ("Hutchings and others 2007", "Morpeth 2017", LONG)
PLACES = ("United Kingdom", "several countries or not stated", "Ireland")


def trials(k, *, home=None, pooled=True, **change):
    """Made-up trials: ``home`` of them British or Irish, all unless told."""
    home = k if home is None else home
    estimate = 0.3 + 0.25 * np.sin(np.arange(k))
    half = 0.2 + 0.15 * np.cos(np.arange(k)) ** 2
    frame = pd.DataFrame({
        "group": ["Britain and Ireland"] * home + ["Elsewhere"] * (k - home),
        "label": [LABELS[i % 3] for i in range(k)],
        "place": [PLACES[i % 3] for i in range(k)],
        "n": [NAN if i % 4 == 2 else 60.0 + 1000 * i for i in range(k)],
        "comparator": "usual services",
        "estimate": estimate, "lower": estimate - half, "upper": estimate + half,
        "weight": 1 / half**2 if pooled else NAN,
        "flagged": [i % 3 == 1 for i in range(k)],
    })  # fmt: skip
    return frame.assign(**change)


def pool(*rows):
    return pd.DataFrame(list(rows), columns=SUMMARY)


BASE = ("British and Irish trials", 0.28, 0.12, 0.44, -0.2, 0.76, True)
ALL = ("All trials, with the results of those that print no figures at zero, "
       "and everything else as before", 0.21, 0.05, 0.35, NAN, NAN, False)  # fmt: skip
SILENT = pd.DataFrame({
    "label": ["Gardner and others 2006", LONG], "place": ["United Kingdom", "Ireland"],
    "n": [76, NAN],
    "direction": ["no difference reported", "better with the programme on the whole"],
})  # fmt: skip


def words(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def marks(fig, name):
    ax = fig.axes[0]
    return [artist for artist in (*ax.patches, *ax.lines) if artist.get_gid() == name]


def boxes(fig):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # Fine enough that fitting letters to pixels does not widen them.
    fig.dpi = 288
    renderer = FigureCanvasAgg(fig).get_renderer()
    return [(t.get_text(), t.get_window_extent(renderer)) for t in fig.axes[0].texts]


CASES = {
    "one": (trials(1, pooled=False), NONE, None, {"worthwhile": 0.25}),
    "one abroad": (trials(1, home=0), NONE, SILENT, {"worthwhile": -3.0}),
    "two": (trials(2, home=1, pooled=False), NONE, SILENT, {}),
    "three": (trials(3), pool(BASE), None, {"worthwhile": 0.25}),
    "eight": (trials(8, home=5), pool(BASE, ALL), SILENT, {"worthwhile": 0.25}),
    "thirty": (trials(30, home=12), pool(BASE, ALL), SILENT, {"worthwhile": 0.25}),
    "ratios": (trials(6, home=2), pool(BASE, ALL), SILENT, {"scale": "log", "worthwhile": -0.2}),
    "comparators": (
        trials(3, comparator=["usual services", "a waiting list", "another activity or attention"]),
        pool(BASE), None, {}),
    "long words": (trials(2), NONE, SILENT, {
        "axis_label": "points on a scale of behaviour as seen by the parent " * 4,
        "favours": ("favours the comparison with usual services as they were then " * 2,
                    "favours the programme as it was given in the trials")}),
    "silent only": (trials(0), NONE, SILENT, {}),
    "large numbers": (trials(2, estimate=[-1520.0, 8.0], lower=[-2500.0, 1.0],
                             upper=[-540.0, 15.0]), NONE, None, {}),
}  # fmt: skip


@pytest.fixture(params=CASES)
def case(request):
    frame, summaries, unprinted, options = CASES[request.param]
    return frame, summaries, unprinted, OPTIONS | options


def test_no_text_covers_another_or_leaves_the_sheet(case):
    *frames, options = case
    fig = forest_figure(*frames, **options)
    drawn = boxes(fig)
    width, height = fig.get_size_inches() * fig.dpi
    for text, box in drawn:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (one, a), (other, b) in itertools.combinations(drawn, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes of lines below each other may touch in the room left for accents and tails.
        assert not (across > 0.5 and down > 0.3 * min(a.height, b.height)), (one, other)


def test_no_text_stands_in_the_plot_between_the_heads_and_the_axis(case):
    *frames, options = case
    fig = forest_figure(*frames, **options)
    ax = fig.axes[0]
    texts = boxes(fig)
    drawn = [artist for artist in ax.patches if artist.get_gid()] + marks(fig, "clipped")
    spans = [artist.get_window_extent() for artist in drawn]
    for text, box in texts:
        assert not any(box.overlaps(span) for span in spans), text


def test_it_is_as_wide_as_the_text_and_its_type_can_be_read(case):
    *frames, options = case
    fig = forest_figure(*frames, **options)
    width, height = fig.get_size_inches() / style.MM
    assert width == pytest.approx(style.TEXT_WIDTH)
    assert height <= 235
    assert min(text.get_fontsize() for text in fig.axes[0].texts) >= 8


def test_every_row_prints_its_numbers(case):
    frame, summaries, unprinted, options = case
    shown = words(forest_figure(frame, summaries, unprinted, **options))
    turn = math.exp if options["scale"] == "log" else float

    def written(value):
        size = abs(turn(value))
        return number(turn(value), 2 if size < 10 else 1 if size < 100 else 0)

    for _, row in pd.concat([frame, summaries]).iterrows():
        numbers = [written(row[key]) for key in ("estimate", "lower", "upper")]
        assert "{} ({} to {})".format(*numbers) in shown
    for n in frame["n"]:
        assert ("not stated" if math.isnan(n) else f"{n:,.0f}") in shown
    assert not any("nan" in text or "-" in text.replace("-C", "") for text in shown)


def test_the_same_rows_give_the_same_bytes(case):
    *frames, options = case

    def svg():
        fig = forest_figure(*frames, **options)
        return Figure.from_matplotlib(fig, alt="x", caption=sentence("c"), label="fig-f").svg

    assert svg() == svg()


def test_a_single_trial_wastes_no_room():
    fig = forest_figure(trials(1, pooled=False), NONE, None, **OPTIONS)
    assert fig.get_size_inches()[1] / style.MM < 35
    assert not {"Britain and Ireland", "Elsewhere"} & set(words(fig))


@pytest.mark.parametrize(
    ("home", "headings"),
    [(3, set()), (2, {"Britain and Ireland", "Elsewhere"}), (0, {"Elsewhere"})],
)
def test_groups_are_headed_unless_all_trials_are_british_or_irish(home, headings):
    shown = set(words(forest_figure(trials(3, home=home), NONE, None, **OPTIONS)))
    assert shown & {"Britain and Ireland", "Elsewhere"} == headings


def test_one_huge_interval_is_clipped_with_arrows_and_squeezes_no_other():
    frame = trials(5)
    frame.loc[3, ["estimate", "lower", "upper"]] = [0.2, -40.0, 40.0]
    fig = forest_figure(frame, NONE, None, **OPTIONS)
    assert sorted(mark.get_marker() for mark in marks(fig, "clipped")) == ["<", ">"]
    assert any("Arrow:" in text for text in words(fig))
    centres = [p.get_x() + p.get_width() / 2 for p in fig.axes[0].patches]
    assert max(centres) - min(centres) > 10


def test_usual_intervals_are_shown_to_their_ends():
    fig = forest_figure(trials(6), pool(BASE), None, **OPTIONS)
    assert not marks(fig, "clipped")
    assert not any("Arrow:" in text for text in words(fig))


def test_an_estimate_far_beyond_the_axis_is_not_drawn_as_a_marker():
    frame = trials(5)
    frame.loc[3, ["estimate", "lower", "upper"]] = [60.0, 5.0, 115.0]
    fig = forest_figure(frame, NONE, None, **OPTIONS)
    assert len(marks(fig, "solid")) + len(marks(fig, "hollow")) == 4
    assert [mark.get_marker() for mark in marks(fig, "clipped")] == [">"]


def test_area_tells_weight_and_without_a_pool_all_are_alike():
    frame = trials(2, flagged=False, weight=[0.8, 0.2])
    large, small = marks(forest_figure(frame, NONE, None, **OPTIONS), "solid")
    assert large.get_width() ** 2 / small.get_width() ** 2 == pytest.approx(4)
    frame = trials(2, flagged=False, pooled=False)
    one, other = marks(forest_figure(frame, NONE, None, **OPTIONS), "solid")
    assert one.get_width() == other.get_width() > 0


def test_flagged_trials_are_hollow_and_the_legend_says_why():
    fig = forest_figure(trials(3), NONE, None, **OPTIONS)
    (hollow,) = marks(fig, "hollow")
    assert hollow.get_facecolor()[:3] == (1, 1, 1)
    assert any("Hollow: carries a warning, see the table." in text for text in words(fig))
    fig = forest_figure(trials(3, flagged=False), NONE, None, **OPTIONS)
    assert not marks(fig, "hollow")
    assert not any("Hollow" in text for text in words(fig))


def test_only_the_base_case_is_a_filled_diamond_and_an_empty_pool_draws_none():
    from matplotlib.colors import to_hex

    fig = forest_figure(trials(3), pool(BASE, ALL), None, **OPTIONS)
    fills = [to_hex(mark.get_facecolor()) for mark in marks(fig, "diamond")]
    assert fills == [style.colour("deep"), "#ffffff"]
    assert "in a new place: \N{MINUS SIGN}0.20 to 0.76" in words(fig)
    assert not marks(forest_figure(trials(2), NONE, None, **OPTIONS), "diamond")


def test_unprinted_results_are_ticks_at_no_difference_and_never_estimates():
    fig = forest_figure(trials(2), NONE, SILENT, **OPTIONS)
    ticks = marks(fig, "unprinted")
    assert len(ticks) == 2
    assert len(marks(fig, "solid")) + len(marks(fig, "hollow")) == 2
    (zero,) = {round(tick.get_x() + tick.get_width() / 2, 6) for tick in ticks}
    upright = [line.get_xdata()[0] for line in fig.axes[0].lines
               if len(set(line.get_xdata())) == 1 and np.ptp(line.get_ydata()) > 5]  # fmt: skip
    assert upright == [pytest.approx(zero)]
    assert "no difference reported" in words(fig)


def test_an_estimate_without_an_interval_says_so():
    frame = trials(2)
    frame.loc[0, ["lower", "upper"]] = NAN
    frame.loc[1, ["estimate", "lower", "upper"]] = NAN
    fig = forest_figure(frame, NONE, None, **OPTIONS)
    shown = " ".join(words(fig))
    assert "0.30 (interval not known)" in shown
    assert "no estimate" in shown
    assert len(marks(fig, "solid")) == 1


def test_ratios_are_printed_as_ratios_on_an_axis_of_round_ratios():
    frame = trials(2, estimate=np.log([0.5, 2.0]), lower=np.log([0.25, 1.0]),
                   upper=np.log([1.0, 4.0]))  # fmt: skip
    options = OPTIONS | {"scale": "log", "axis_label": "odds ratio"}
    shown = words(forest_figure(frame, NONE, None, **options))
    assert {"0.50 (0.25 to 1.00)", "2.00 (1.00 to 4.00)", "0.5", "1", "2", "Odds ratio"} <= set(
        shown
    )


def test_numbers_are_written_as_the_caller_writes_them():
    fig = forest_figure(trials(1), NONE, None, **OPTIONS, write=lambda value: f"{value:.3f}")
    assert "0.300 (-0.050 to 0.650)" in words(fig)


def test_without_any_estimate_the_axis_has_no_scale():
    shown = words(forest_figure(trials(0), NONE, SILENT, **OPTIONS))
    assert "0" in shown
    assert not {"0.5", "1.0"} & set(shown)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(-50, 50), st.floats(0.01, 500)),
        min_size=1, max_size=6,
    ),
    st.sampled_from(["difference", "log"]),
)  # fmt: skip
def test_whatever_the_results_all_marks_stay_between_the_columns(results, scale):
    estimate, half = np.array(results).T
    if scale == "log":
        estimate, half = estimate / 10, half / 100
    frame = trials(len(results), estimate=estimate, lower=estimate - half, upper=estimate + half)
    fig = forest_figure(frame, NONE, None, **OPTIONS | {"scale": scale})
    drawn = boxes(fig)
    people = next(box for text, box in drawn if text == "People").x1
    numbers = min(box.x0 for text, box in drawn if text.endswith(")"))
    for artist in fig.axes[0].patches:
        box = artist.get_window_extent()
        assert people < box.x0
        assert box.x1 < numbers
    assert any(text in ("0", "1", "0.0", "0.00", "0.000") for text, _ in drawn)


def test_the_alternative_text_begins_with_the_finding():
    said = forest_alt(trials(8, home=5), pool(BASE, ALL), SILENT, **OPTIONS, worthwhile=0.25)
    assert said.startswith(
        "British and Irish trials, average: 0.28 (0.12 to 0.44) (difference in standard "
        "deviations), the whole interval on the side “favours the programme”. "
    )
    assert "Eight trials (United Kingdom 3, several countries or not stated 3, Ireland 2)." in said
    assert "Their estimates run from 0.06 (" in said
    assert "Three trials carry a warning." in said
    assert "Two more trials without usable figures: Gardner and others 2006: no diff" in said


@pytest.mark.parametrize(
    ("k", "start"), [(1, "A single trial; nothing is pooled."), (2, "Two trials, not pooled.")]
)
def test_the_alternative_text_says_that_nothing_is_pooled(k, start):
    said = forest_alt(trials(k), NONE, None, **OPTIONS)
    assert said.startswith(start)
    assert "Hutchings and others 2007 (United Kingdom, 60 people): 0.30 (" in said
    assert "average" not in said


def test_rows_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match=r"columns missing in trials: \['weight'\]"):
        forest_figure(trials(1).drop(columns="weight"), NONE, None, **OPTIONS)
    with pytest.raises(ValueError, match="columns missing in unprinted"):
        forest_alt(trials(1), NONE, SILENT.drop(columns="n"), **OPTIONS)
    with pytest.raises(ValueError, match="no trial"):
        forest_figure(trials(0), NONE, None, **OPTIONS)
    with pytest.raises(ValueError, match="difference or log"):
        forest_figure(trials(1), NONE, None, **OPTIONS | {"scale": "ratio"})


def test_plots_are_found_without_loading_matplotlib():
    code = (
        "import sys, evidence.plots as p; assert 'matplotlib' not in sys.modules; "
        "p.forest_figure, p.needs_figure, p.spend_figure; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
