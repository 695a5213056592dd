"""Figures and tables of needs and money."""

import re

import pytest

from evidence.briefing.money import money_figure, money_table
from evidence.briefing.needs import needs_figure, needs_table

SOME = ["E08000025", "E06000009", "E06000059", "E06000002", "E06000064"]


@pytest.mark.parametrize("code", SOME)
def test_figures_fit_the_page_and_say_the_finding(local, code):
    needs, money = needs_figure(local.profiles[code]), money_figure(local.spend[code])
    for figure, label in ((needs, "fig-needs"), (money, "fig-money")):
        assert figure.label == label
        width, height = map(float, re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"',
                                             figure.svg).groups())  # fmt: skip
        assert width / 72 * 25.4 <= 166.5
        assert height / 72 * 25.4 <= 235
        assert len(figure.svg) < 300_000
    frame = local.profiles[code].frame
    for way in ("worse", "better"):
        assert f"stands out as {way} than England on: " in needs.alt
    assert not re.search(r"\bnan\b", needs.alt + money.alt)
    assert len(needs.alt) > 20 * len(frame) / 2
    assert "England" in money.alt


def test_the_same_input_gives_the_same_bytes(local):
    code = "E10000016"
    assert needs_figure(local.profiles[code]).svg == needs_figure(local.profiles[code]).svg
    assert money_figure(local.spend[code]).svg == money_figure(local.spend[code]).svg


def test_some_needs_alone_in_a_narrow_column(local):
    only = ["gld_pct", "persistent_absence_pct"]
    narrow = needs_figure(local.profiles["E10000016"], only=only, columns=1)
    assert "2 needs" in narrow.alt


def test_tables_have_a_row_for_everything(local):
    for code, profile in local.profiles.items():
        table = needs_table(profile)
        assert len(table.rows) == len(profile.frame)
        assert len(table.columns) == (8 if profile.comparable else 3)
        shares = money_table(local.spend[code])
        assert len(shares.rows) == 6
        assert len(shares.columns) == (8 if profile.comparable else 6)
        assert not re.search(r">\s*(nan|None|nan%)\s*<", table.html() + shares.html())


def test_a_withheld_value_shows_its_reason_and_no_interval(local):
    profile = local.profiles["E06000059"]
    row = next(r for r in needs_table(profile).rows if "youth justice" in str(r[0]).lower())
    assert row[2:4] == ("no figure", "")
    assert row[-1] == "cannot say: withheld or not published"


def test_a_value_stands_with_its_own_period_and_verdict(local):
    profile = local.profiles["E06000009"]
    html = needs_table(profile).html()
    worse = profile.standing_out("worse")
    assert html.count("<td>worse (") == len(worse)
    assert "over three years old" in html
