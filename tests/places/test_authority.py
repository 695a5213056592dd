"""Finding an authority or a region by what people write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import UsageError
from evidence.places import authorities_of_region, authority


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("E06000010", "E06000010"),
        ("e06000010", "E06000010"),
        ("Hull", "E06000010"),
        ("kingston upon hull", "E06000010"),
        ("City of Bristol", "E06000023"),
        ("bristol city council", "E06000023"),
        ("Brighton & Hove", "E06000043"),
        ("London Borough of Hackney", "E09000012"),
        ("Durham", "E06000047"),
        ("County Durham", "E06000047"),
        ("  Isle of Wight ", "E06000046"),
        ("Telford & Wrekin Council", "E06000020"),
    ],
)
def test_names_as_people_write_them(places, written, code):
    assert authority(places, written).code == code


def test_every_official_and_short_name_and_code_leads_to_its_authority(places):
    names = places.areas.set_index("area_code")["name"]
    for row in places.authorities.itertuples():
        for written in (
            row.area_code,
            names[row.area_code],
            row.short_name,
            row.short_name.upper(),
        ):
            assert authority(places, str(written)).code == row.area_code


def test_a_london_borough_belongs_to_london_not_to_half_of_it(places):
    hackney = authority(places, "Hackney")
    assert (hackney.region, hackney.region_code) == ("London", "E12000007")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Cumbria", "Westmorland and Furness"),
        ("Northamptonshire", "West Northamptonshire"),
        ("E10000006", "Cumberland"),
        ("E12000001", "not a local authority"),
        ("E06000099", "no authority has the code"),
        ("Yorkshire", "North Yorkshire"),
        ("Birmingam", "Birmingham"),
        ("xyzzy", "GSS code"),
        ("", "GSS code"),
    ],
)
def test_what_is_not_found_is_answered_with_advice(places, written, hint):
    with pytest.raises(UsageError, match=hint):
        authority(places, written)


@settings(max_examples=60)
@given(text=st.text(max_size=30))
def test_any_text_is_an_authority_or_a_usage_error(places, text):
    try:
        found = authority(places, text)
    except UsageError as error:
        assert str(error)
    else:
        assert found.code in set(places.authorities["area_code"])


@pytest.mark.parametrize(
    ("code", "in_text", "at_start"),
    [
        ("E09000001", "the City of London", "The City of London"),
        ("E06000053", "the Isles of Scilly", "The Isles of Scilly"),
        ("E06000023", "Bristol", "Bristol"),
        ("E08000025", "Birmingham", "Birmingham"),
        ("E06000011", "the East Riding of Yorkshire", "The East Riding of Yorkshire"),
    ],
)
def test_names_in_sentences(places, code, in_text, at_start):
    area = authority(places, code)
    assert (area.in_text, area.at_start) == (in_text, at_start)


def test_regions_part_england(places):
    regions = places.areas.loc[places.areas["kind"] == "region", "name"]
    parts = [authorities_of_region(places, str(name)) for name in regions]
    together = [code for part in parts for code in part]
    assert len(together) == len(set(together)) == 153
    assert sorted(together) == authorities_of_region(places, "England")
    assert all(part == sorted(part) for part in parts)
    for name, part in zip(regions, parts, strict=True):
        assert {authority(places, code).region for code in part} == {name}


def test_inner_and_outer_london_make_london(places):
    inner = authorities_of_region(places, "Inner London")
    outer = authorities_of_region(places, "outer london")
    assert sorted(inner + outer) == authorities_of_region(places, "LONDON")
    assert "E09000012" in inner
    assert "E09000003" in outer


def test_a_region_by_its_code_and_with_other_words(places):
    north_east = authorities_of_region(places, "North East")
    assert authorities_of_region(places, "e12000001") == north_east
    assert authorities_of_region(places, "the north east of England") == north_east
    assert authorities_of_region(places, "Yorkshire & Humber") == authorities_of_region(
        places, "Yorkshire and The Humber"
    )


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Yorkshire", "did you mean Yorkshire and The Humber"),
        ("Midlands", "East Midlands, or West Midlands"),
        ("Wales", "the regions are East Midlands"),
        ("", "the regions are"),
        ("Kent", "the regions are"),
    ],
)
def test_an_unknown_region_is_answered_with_those_there_are(places, written, hint):
    with pytest.raises(UsageError, match=hint):
        authorities_of_region(places, written)
