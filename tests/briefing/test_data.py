"""The data of a briefing: whole, traceable, small, and the same from memory and from disk."""

import json
import re

import pytest

from evidence.briefing import briefing_data
from evidence.errors import UsageError
from evidence.facts import stray_digits

EIGHT = {
    "E09000001": "City of London", "E06000053": "Isles of Scilly", "E08000025": "Birmingham",
    "E10000016": "Kent", "E06000009": "Blackpool", "E06000059": "Dorset",
    "E06000002": "Middlesbrough", "E09000012": "Hackney",
}  # fmt: skip


@pytest.fixture(scope="session", params=EIGHT, ids=EIGHT.values())
def briefing(request, project):
    return briefing_data(request.param, project=project)


def prose(markdown):
    """Markdown without tables, pictures, citations and targets: what is read as text."""
    text = re.sub(r"```\{=html\}.*?```", "", markdown, flags=re.DOTALL)
    text = re.sub(r"\(data:image/[^)]*\)\{[^}]*\}", "", text)
    return re.sub(r":::.*", "", re.sub(r"\{#sec-[a-z-]+\}", "", text))


def test_no_digit_in_prose_without_a_fact(briefing):
    for part in briefing.parts:
        assert stray_digits(prose(part.markdown)) == []


def test_every_fact_shown_is_listed_and_the_reverse(briefing):
    shown = set()
    for part in briefing.parts:
        shown |= set(re.findall(r'(?:data-fact|fact)="([0-9a-f]{10})"', part.markdown))
    assert shown == {fact.id for fact in briefing.facts}
    listed = json.loads(briefing.facts_json())
    assert [fact["id"] for fact in listed] == sorted(shown)
    assert all(fact["inputs"] or fact["kind"] == "assumption" for fact in listed)


def test_every_work_cited_is_in_the_bibliography(briefing):
    known = {work["id"] for work in briefing.bibliography}
    for part in briefing.parts:
        for keys in re.findall(r"\[(@[^\]]+)\]", part.markdown):
            assert {key.strip().removeprefix("@") for key in keys.split(";")} <= known


def test_nothing_reads_as_missing_by_accident(briefing):
    for part in briefing.parts:
        text = re.sub(r"data:image/[^)]*", "", part.markdown)
        assert not re.search(r"\bnan\b|\bNone\b(?! of| stands)|<NA>|\binf\b", text)


def test_small_places_are_not_compared_and_say_why(project):
    for code in ("E09000001", "E06000053"):
        briefing = briefing_data(code, project=project)
        text = briefing.needs.markdown
        assert "a comparison with England or with other places" in text
        assert "fig-needs" not in text
        assert "not compared" in briefing.tested.markdown


def test_the_same_data_from_memory_and_from_disk(project):
    one = briefing_data("Kent", project=project)
    from evidence.briefing import data

    for cached in (data._local, data._evidence):
        cached.cache_clear()
    other = briefing_data("E10000016", project.edition().id, project=project)
    assert other.to_json() == one.to_json()
    assert [part.markdown for part in other.parts] == [part.markdown for part in one.parts]
    assert len(one.to_json().encode()) < 300_000


def test_what_the_caller_assumes_is_printed(project):
    briefing = briefing_data("Kent", project=project, assumptions={"discount": "3.5%"})
    assert "Set by whoever ran this notebook" in briefing.methods.markdown
    assert briefing.to_json() != briefing_data("Kent", project=project).to_json()


def test_a_wrong_edition_or_place_is_refused(project):
    with pytest.raises(UsageError, match="the edition is"):
        briefing_data("Kent", "1999", project=project)
    with pytest.raises(UsageError):
        briefing_data("Atlantis", project=project)
