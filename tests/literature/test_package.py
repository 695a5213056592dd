"""Descriptors are read whole or refused, and nothing in them leads out of their folder."""

import json

import pytest

from evidence.errors import DataError
from evidence.literature.package import PACKAGES, all_tables, read_package
from evidence.project import Project


def descriptor(tmp_path, text):
    """A project that has this text as its descriptor of the trials."""
    (tmp_path / "literature" / "trials").mkdir(parents=True)
    (tmp_path / "literature" / "trials" / "datapackage.json").write_text(text)
    return Project(tmp_path)


def resource(schema=None, **changes):
    """A table of two columns, as a descriptor has it."""
    usual = {
        "fields": [{"name": "id", "type": "string"}, {"name": "size", "type": "number"}],
        "primaryKey": "id",
    }
    return {"name": "things", "path": "things.csv", "schema": usual | (schema or {})} | changes


def described(tmp_path, *resources):
    return descriptor(tmp_path, json.dumps({"name": "trials", "resources": resources}))


def test_what_a_descriptor_says_is_read(tmp_path):
    fields = [
        {"name": "id", "type": "string", "constraints": {"required": True, "pattern": "[a-z]+"}},
        {"name": "size", "type": "number", "constraints": {"minimum": 0, "maximum": 9}},
        {"name": "kind", "type": "string", "constraints": {"enum": ["a", "b"], "maxLength": 1}},
        {"name": "parent", "type": "string"},
    ]
    link = {"fields": ["parent"], "reference": {"resource": "", "fields": ["id"]}}
    project = described(tmp_path, resource(schema={"fields": fields, "foreignKeys": [link]}))
    table = read_package(project, "trials").table("things")
    assert table.columns == ["id", "size", "kind", "parent"]
    assert table.key == ("id",)
    assert table.field("id").required and table.field("id").pattern == "[a-z]+"
    assert (table.field("size").minimum, table.field("size").maximum) == (0, 9)
    assert table.field("kind").enum == ("a", "b") and table.field("kind").max_length == 1
    # An empty name of a table means the table itself.
    assert [(each.field, each.table, each.target) for each in table.foreign_keys] == [
        ("parent", "things", "id")
    ]
    with pytest.raises(KeyError):
        table.field("none")


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../things.csv"},
        {"path": "sub/things.csv"},
        {"path": "/etc/passwd"},
        {"path": "other.csv"},
        {"schema": {"primaryKey": "none"}},
        {"schema": {"fields": [{"name": "id", "type": "string"}] * 2}},
        {"schema": {"fields": [{"name": "id", "type": "boolean"}]}},
        {"schema": {"fields": [{"name": 'id"; drop', "type": "string"}]}},
        {"schema": {"fields": [{"type": "string"}]}},
        {"schema": {"fields": "id"}},
        {
            "schema": {
                "foreignKeys": [
                    {"fields": "id", "reference": {"resource": "none", "fields": "id"}},
                ]
            }
        },
        {
            "schema": {
                "foreignKeys": [
                    {
                        "fields": ["id", "size"],
                        "reference": {"resource": "", "fields": ["id", "size"]},
                    },
                ]
            }
        },
    ],
)
def test_a_descriptor_that_cannot_be_is_refused(tmp_path, change):
    project = described(tmp_path, resource(**change))
    with pytest.raises(DataError) as caught:
        read_package(project, "trials")
    assert {fault.code for fault in caught.value.faults} == {"bad-descriptor"}
    assert caught.value.faults[0].file == "literature/trials/datapackage.json"


@pytest.mark.parametrize(
    ("kind", "constraints"),
    [
        ("string", {"pattern": "("}),
        ("string", {"pattern": ["a"]}),
        ("string", {"maxLength": "12"}),
        ("string", {"maxLength": 0}),
        ("string", {"maxLength": True}),
        ("string", {"minimum": 1}),
        ("number", {"minimum": "low"}),
        ("number", {"maximum": float("inf")}),
        ("integer", {"maximum": [3]}),
        ("date", {"minimum": 2020}),
        ("date", {"maximum": "soon"}),
    ],
)
def test_a_constraint_that_is_none_is_refused(tmp_path, kind, constraints):
    field = {"name": "id", "type": kind, "constraints": constraints}
    with pytest.raises(DataError) as caught:
        read_package(described(tmp_path, resource(schema={"fields": [field]})), "trials")
    assert {fault.code for fault in caught.value.faults} == {"bad-descriptor"}


def test_two_tables_of_one_name(tmp_path):
    with pytest.raises(DataError, match="one name"):
        read_package(described(tmp_path, resource(), resource()), "trials")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad-json"),
        ("[" * 100_000, "bad-json"),
        ("[]", "bad-descriptor"),
        ("{}", "bad-descriptor"),
        ('{"resources": [1]}', "bad-descriptor"),
    ],
)
def test_what_is_no_descriptor_is_refused(tmp_path, text, code):
    with pytest.raises(DataError) as caught:
        read_package(descriptor(tmp_path, text), "trials")
    assert caught.value.faults[0].code == code


def test_a_descriptor_that_is_too_large(tmp_path):
    with pytest.raises(DataError) as caught:
        read_package(descriptor(tmp_path, " " * 4_000_001), "trials")
    assert caught.value.faults[0].code == "too-large"


def test_a_descriptor_that_is_missing(tmp_path):
    with pytest.raises(DataError) as caught:
        read_package(Project(tmp_path), "places")
    assert caught.value.faults[0].code == "missing-file"


def test_every_shipped_table_and_column_is_explained(project):
    for table in all_tables(project):
        assert table.title and table.description.endswith("."), table.name
        for field in table.fields:
            assert len(field.description) > 4, (table.name, field.name)


@pytest.mark.parametrize("name", PACKAGES)
def test_shipped_descriptors_name_licences_and_sources(project, name):
    raw = read_package(project, name).descriptor
    assert raw["title"] and raw["description"]
    assert all(each["name"] and each["path"].startswith("https://") for each in raw["licenses"])
    assert raw["sources"]


def test_the_trials_say_what_they_are_not(project):
    raw = read_package(project, "trials").descriptor
    assert "not a systematic review" in raw["description"]
    assert "too favourable" in raw["description"]
