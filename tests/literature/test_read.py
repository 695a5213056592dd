"""Tables come with the types of their descriptor, or not at all."""

import dataclasses
import json

import pandas as pd
import pytest

from evidence.errors import DataError, UsageError
from evidence.literature import bridge, inputs_sha256, read_places, read_trials
from evidence.literature.package import read_package


def test_trials_have_the_types_of_their_descriptor(project):
    trials = read_trials(project)
    package = read_package(project, "trials")
    assert {table.name for table in package.tables} == {
        field.name for field in dataclasses.fields(trials)
    }
    kinds = {"integer": "Int64", "number": "float64", "date": "datetime64[ns]"}
    for table in package.tables:
        frame = getattr(trials, table.name)
        assert list(frame.columns) == [*table.columns, "_row"]
        assert list(frame["_row"]) == list(range(2, len(frame) + 2))
        for field in table.fields:
            if field.type in kinds and len(frame):
                assert pd.api.types.is_dtype_equal(frame[field.name].dtype, kinds[field.type]) or (
                    field.type == "date" and pd.api.types.is_datetime64_any_dtype(frame[field.name])
                ), (table.name, field.name)


def test_an_empty_cell_is_missing_and_the_word_none_is_text(copy):
    copy.change("trials/studies.csv", 2, note="None", setting="NA", comparator="")
    studies = read_trials(copy.project).studies
    assert studies.loc[0, ["note", "setting"]].tolist() == ["None", "NA"]
    assert pd.isna(studies.loc[0, "comparator"])


def test_the_bridge_is_read(project):
    frame = bridge(project)
    assert set(frame["link"]) <= {"same-outcome", "plausible-path", "no-link"}
    assert frame.loc[frame["link"] == "no-link", "construct_id"].isna().all()


def test_all_files_are_tried_before_giving_up(copy):
    copy.path("trials/icc.csv").unlink()
    line, _ = copy.find("trials/studies.csv")
    copy.change("trials/studies.csv", line, year="two thousand")
    copy.spoil("trials/costs.csv", lambda text: text.replace(b"amount", b"sum", 1))
    with pytest.raises(DataError) as caught:
        read_trials(copy.project)
    found = {(fault.file.split("/")[-1], fault.code) for fault in caught.value.faults}
    assert {
        ("icc.csv", "missing-file"),
        ("studies.csv", "not-a-whole-number"),
        ("costs.csv", "missing-column"),
    } <= found


@pytest.mark.parametrize("text", ["inf", "1e999", "x"])
def test_a_number_that_is_none_stops_the_reading_at_its_cell(copy, text):
    line, _ = copy.find("trials/effects.csv", lambda row: row["effect"])
    copy.change("trials/effects.csv", line, effect=text)
    with pytest.raises(DataError) as caught:
        read_trials(copy.project)
    places = [(fault.row, fault.column) for fault in caught.value.faults]
    assert (line, "effect") in places


def test_a_table_that_nobody_described_any_more(copy):
    path = copy.path("trials/datapackage.json")
    raw = json.loads(path.read_text())
    raw["resources"] = [each for each in raw["resources"] if each["name"] != "prevalence"]
    path.write_text(json.dumps(raw))
    with pytest.raises(DataError, match="prevalence is not described"):
        read_trials(copy.project)


def test_london_boroughs_lie_in_london(project):
    places = read_places(project)
    camden = places.areas.loc[places.areas["name"] == "Camden", "area_code"].item()
    assert places.region(camden) == "E12000007"
    assert places.region("E92000001") is None
    with pytest.raises(UsageError):
        places.region("E99999999")


def test_the_hash_of_inputs_follows_content_and_only_that(copy):
    whole, effects = inputs_sha256(copy.project), inputs_sha256(copy.project, "effects")
    copy.path("trials/effects.csv").touch()
    assert inputs_sha256(copy.project) == whole
    copy.change("trials/studies.csv", 2, note="changed")
    assert inputs_sha256(copy.project) != whole
    assert inputs_sha256(copy.project, "effects") == effects
    assert inputs_sha256(copy.project, "trials") != inputs_sha256(copy.project, "studies")
    with pytest.raises(UsageError, match="none-such"):
        inputs_sha256(copy.project, "none-such")
