"""Showing a record tells all that is known of it, what is not, and where it stands."""

import pytest

from evidence.errors import UsageError
from evidence.literature import show


def test_a_study_with_its_programme_effects_and_place(small):
    line, row = small.find("trials/studies.csv", lambda row: row["doi"] and row["note"])
    text = show(row["study_id"], small.project)
    assert text.startswith(f"Studies: {row['study_id']}\n")
    squeezed = " ".join(text.split())
    for name in ("title", "authors", "doi", "comparator_class"):
        assert f"{name}: {row[name]}" in squeezed
    assert f"from literature/trials/studies.csv, line {line}" in text
    assert "Programme (1)" in text
    effects = [
        each["effect_id"]
        for each in small.rows("trials/effects.csv")
        if each["study_id"] == row["study_id"]
    ]
    assert all(effect in text for effect in effects)


def test_what_is_not_known_is_named(small):
    _, row = small.find("trials/studies.csv", lambda row: not row["pmid"])
    known = show(row["study_id"], small.project).split("not known:")[1].split("\nfrom ")[0]
    assert "pmid" in known.replace("\n", " ")


def test_other_reports_on_the_same_people(project):
    text = show("kitzman2010", project)
    block = text.split("Also about the same people")[1]
    assert "kitzman1997" in block and "kitzman2019" in block


@pytest.mark.parametrize("shared", ["fricke2017a", "wiggins2005b"])
def test_arms_with_one_control_group_name_each_other(project, shared):
    other = shared[:-1] + ("b" if shared.endswith("a") else "a")
    assert other in show(shared, project).split("Also about")[1]


def test_an_effect_leads_to_its_study(small):
    _, row = small.find("trials/effects.csv")
    text = show(row["effect_id"].upper(), small.project)
    assert row["source_url"] in text
    assert "\nStudy (1)\n  study_id" in text and row["study_id"] in text


def test_a_programme_shows_what_it_costs(project):
    text = show("incredible-years-basic", project)
    assert "1934" in text and "1289" in text


def test_large_amounts_have_plain_digits(project):
    assert "amount:          81000000\n" in show("exclusion-services-1996", project)


def test_an_authority_by_name_with_its_neighbours_and_needs(small):
    text = show("hartlepool", small.project)
    assert "E06000001" in text
    assert "Statistical neighbours (10)" in text
    assert "Needs, newest period" in text


def test_a_typo_is_answered_with_the_nearest_name(small):
    _, row = small.find("trials/studies.csv")
    with pytest.raises(UsageError, match=row["study_id"]):
        show(row["study_id"] + "x", small.project)


def test_text_of_the_data_steers_no_terminal(copy):
    _, row = copy.find("trials/studies.csv")
    copy.change("trials/studies.csv", 2, note="red \u202e and \u2066 turned")
    text = show(row["study_id"], copy.project)
    assert "\u202e" not in text and "\u2066" not in text
    assert all(each.isprintable() or each == "\n" for each in text)
