"""All sentences for all authorities: they are English, and every number in them is a fact."""

import re

import pytest

from evidence.briefing.lessons import lessons_items, read_lessons
from evidence.briefing.money import money_figure, money_sentence, money_sentences, money_table
from evidence.briefing.needs import needs_figure, needs_sentences, needs_table
from evidence.briefing.summary import summary_sentences
from evidence.facts import Ledger, Sentence, stray_digits

from .conftest import coverages

# What no sentence may hold once its markup is gone.
ODD = {
    "not a number": r"\bnan\b|\bNone\b(?! of)|\binf\b|<NA>",
    "left-over markup": r"[{}\[\]\\*]",
    "two spaces": r"  ",
    "space before a mark": r" [,.;:)]",
    "an empty list": r"\(\)|: *[.;]|\bon *[,.;]",
    "a repeated word": r"\b(\w+) \1\b",
    "two marks": r"[,;:]{2}|\.\.|[,;:]\.",
    "a lone plural": r"\d s\b|\bneed s\b",
    "one with a plural": r"\b[Oo]ne (needs|figures|trials) \b|\bone are\b",
    "several with a singular": r"\b(two|three|four|five|six|seven|eight|nine|\d+) (need|other) ",
}


def check(sentence, what):
    text = sentence.plain
    assert isinstance(sentence, Sentence)
    assert stray_digits(sentence.text) == [], f"{what}: {text}"
    for name, pattern in ODD.items():
        found = re.search(pattern, text)
        assert not found, f"{what}: {name} ({found and found[0]!r}) in {text}"
    assert text.endswith("."), f"{what}: {text}"
    assert text[0].isupper(), f"{what}: {text}"
    assert text.count("(") == text.count(")"), f"{what}: {text}"


def test_every_sentence_of_every_authority(local):
    for code, profile in local.profiles.items():
        spend = local.spend[code]
        said = {
            "summary": summary_sentences(profile, spend),
            "needs": needs_sentences(profile),
            "money": money_sentences(spend),
            "page one": [money_sentence(spend)],
        }
        assert all(said.values())
        for what, sentences in said.items():
            for sentence in sentences:
                check(sentence, f"{code} {what}")
        table, shares = needs_table(profile), money_table(spend)
        for sentence in (table.caption, table.note, shares.caption, shares.note):
            check(sentence, f"{code} table")


def test_every_lesson_of_every_authority(local, project):
    lessons, met = read_lessons(project), set()
    for code, profile in local.profiles.items():
        worse = len(profile.standing_out("worse"))
        kinds = list(coverages(worse))
        # What trials there are matters to how many needs stand out, not to the place.
        for coverage in kinds[:1] if worse in met else kinds:
            for lesson, answer in lessons_items(profile, local.spend[code], coverage, lessons):
                check(answer, f"{code} {lesson.id} {coverage}")
        met.add(worse)


def test_page_one_has_three_sentences_and_no_old_value(local):
    for code, profile in local.profiles.items():
        sentences = summary_sentences(profile, local.spend[code])
        assert len(sentences) == 3
        old = set(profile.frame.loc[profile.frame["old"], "indicator_id"])
        for sentence in sentences:
            for fact in sentence.facts:
                assert not old & {part for text in fact.inputs for part in text.split("/")}


def test_facts_carry_the_values_they_print_and_where_they_come_from(local, places):
    published = places.observations.set_index(["area_code", "indicator_id", "period"])["value"]
    seen = 0
    for code in ("E08000025", "E06000009", "E09000001", "E06000059"):
        sentences = needs_sentences(local.profiles[code]) + money_sentences(local.spend[code])
        for fact in (fact for sentence in sentences for fact in sentence.facts):
            for source in fact.inputs:
                kind, _, key = source.partition(":")
                assert kind in {"observations", "areas", "indicators"}
                if kind == "observations":
                    area, indicator, period = key.split("/", 2)
                    assert (area, indicator, period) in published.index
            if fact.kind == "observation" and len(fact.inputs) == 1:
                area, indicator, period = fact.inputs[0].split(":", 1)[1].split("/", 2)
                assert fact.value == published[area, indicator, period]
                seen += 1
    assert seen > 40


def test_one_identity_never_stands_for_two_texts_on_a_page(local):
    for code in ("E08000025", "E10000016", "E06000009"):
        profile, spend = local.profiles[code], local.spend[code]
        texts = {}
        for sentence in needs_sentences(profile) + money_sentences(spend):
            for fact in sentence.facts:
                texts.setdefault(fact.id, set()).add(fact.text.split(" ")[0])
        assert all(len(found) == 1 for found in texts.values())
        ledger = Ledger()
        ledger.add(*money_sentences(spend))
        assert ledger.to_json().endswith("\n")


@pytest.mark.parametrize("code", ["E09000001", "E06000053"])
def test_the_two_smallest_are_told_their_own_values_and_never_compared(local, code):
    profile, spend = local.profiles[code], local.spend[code]
    text = " ".join(
        s.plain
        for s in [*summary_sentences(profile, spend), *needs_sentences(profile),
                  *money_sentences(spend), money_figure(spend).caption]
    )  # fmt: skip
    assert "So few children live in the" in text
    assert not re.search(r"England \d|worse|better than", text)
    assert needs_figure(profile) is None
    assert "England" not in money_figure(spend).alt
    assert not any("E92000001" in source for fact in money_table(spend).facts
                   for source in fact.inputs)  # fmt: skip


def test_a_missing_return_is_said(local):
    spend = local.spend["E06000002"]
    text = " ".join(s.plain for s in money_sentences(spend))
    assert "No shares can be given for 2024-25" in text
    assert "In 2023-24, the newest year with figures" in money_sentence(spend).plain
    assert "no figure" in money_table(spend).html()


def test_a_new_council_says_since_when_it_is_there(local):
    text = " ".join(s.plain for s in money_sentences(local.spend["E06000063"]))
    assert "the authority was formed in April 2023" in text
    assert "Between" not in text


def test_a_reported_zero_is_not_a_share(local):
    spend = local.spend["E06000053"]
    said = [s.plain for s in money_sentences(spend) if s.plain.startswith("Nothing is reported")]
    assert len(said) == 1
    assert "booked on another line" in said[0]
    assert "nothing reported" in money_table(spend).html()


def test_no_share_and_no_place_is_called_good_or_bad(local):
    for code, spend in local.spend.items():
        for sentence in money_sentences(spend):
            assert not re.search(r"\b(better|worse|improv\w*|rank\w*|best|worst)\b", sentence.plain)
        for sentence in needs_sentences(local.profiles[code]):
            assert not re.search(r"\b(rank \d|\d(st|nd|rd|th)\b|best|worst)", sentence.plain)
