"""The database is whole or the old one, and whoever asks it can only read."""

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from evidence.errors import DataError, EvidenceError, UsageError
from evidence.literature import build, check, connect, inputs_sha256, sql
from evidence.literature.package import all_tables


def evidence(project, *words):
    """Run the command line on a project."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("evidence")), "--project", str(project.root), *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_table_arrives_with_all_its_rows_and_types(small):
    types = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}
    with connect(small.project) as connection:
        for table in all_tables(small.project):
            name = f'"{table.package or "main"}"."{table.name}"'
            count = connection.execute(f"select count(*) from {name}").fetchone()
            assert count == (len(pd.read_csv(table.path, dtype=str)),)
            found = connection.execute(f"describe {name}").fetchall()
            assert [row[:2] for row in found] == [
                *((field.name, types[field.type]) for field in table.fields),
                ("_row", "BIGINT"),
            ]


def test_tables_and_columns_carry_their_descriptions(small):
    told = sql(
        "select comment from duckdb_columns() where schema_name = 'trials' "
        "and table_name = 'effects' and column_name = 'turn'",
        small.project,
    )
    assert "change of sign" in told["comment"].item()


def test_a_failed_check_leaves_the_old_database(copy):
    before = copy.project.database.read_bytes()
    copy.change("trials/effects.csv", 2, favours="perhaps")
    with pytest.raises(DataError):
        build(copy.project)
    assert copy.project.database.read_bytes() == before


def test_an_interrupted_build_leaves_the_old_database(copy, monkeypatch):
    from evidence.literature import builder

    before = copy.project.database.read_bytes()
    copy.change("trials/studies.csv", 2, note="changed")

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(builder, "load", fail)
    with pytest.raises(KeyboardInterrupt):
        build(copy.project)
    assert copy.project.database.read_bytes() == before
    assert not list(copy.project.build.glob(".database.*"))


def test_the_database_follows_the_data(copy):
    copy.change("trials/studies.csv", 2, note="a note of today")
    note = sql("select note from trials.studies where _row = 2", copy.project)["note"].item()
    assert note == "a note of today"


def test_a_broken_database_is_made_anew(copy):
    copy.project.database.write_bytes(b"no database")
    assert sql("select 1 as one", copy.project)["one"].item() == 1
    shutil.rmtree(copy.project.build)
    assert sql("select 2 as two", copy.project)["two"].item() == 2


def test_results_become_tables(copy):
    folder = copy.project.build / "evidence"
    folder.mkdir(parents=True)
    pd.DataFrame({"construct_id": ["x"], "estimate": [0.5]}).to_parquet(
        folder / "estimates.parquet"
    )
    assert sql("select estimate from results.estimates", copy.project)["estimate"].item() == 0.5
    (folder / "estimates.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"estimates\.parquet"):
        connect(copy.project)


@pytest.mark.parametrize(
    "query",
    [
        "delete from trials.studies",
        "create table main.mine as select 1",
        "drop schema trials cascade",
        "copy trials.studies to '/tmp/stolen.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "pragma enable_external_access",
        "export database '/tmp/stolen'",
        "selec 1",
        "select none_such from trials.studies",
    ],
)
def test_a_query_can_only_read_what_is_there(small, query):
    with pytest.raises(UsageError):
        sql(query, small.project)
    assert not Path("/tmp/stolen.csv").exists()


def test_an_error_names_the_nearest_column(small):
    with pytest.raises(UsageError, match="study_id"):
        sql("select studyid from trials.studies", small.project)


def test_a_connection_to_old_data_is_not_passed_off_as_new(copy):
    with connect(copy.project):
        copy.change("trials/studies.csv", 2, note="changed under its feet")
        # DuckDB gives one process one view of a file; a fresh one must be asked for.
        with pytest.raises((EvidenceError, duckdb.Error)):
            connect(copy.project).execute("select 1")
    with connect(copy.project) as connection:
        found = connection.execute("select note from trials.studies where _row = 2").fetchone()
    assert found == ("changed under its feet",)


def test_checking_and_asking_change_no_input(copy):
    before = inputs_sha256(copy.project)
    check(copy.project, fresh=True)
    sql("select count(*) from trials.effects", copy.project)
    assert inputs_sha256(copy.project) == before


def test_the_command_line_checks_builds_and_asks(copy):
    done = evidence(copy.project, "literature", "check")
    assert (done.returncode, done.stderr.strip()) == (0, "No faults.")
    assert evidence(copy.project, "literature", "build").returncode == 0
    done = evidence(copy.project, "sql", "--csv", "select count(*) as n from places.authorities")
    assert done.stdout.split() == ["n", "153"]
    line, _ = copy.find("trials/effects.csv", lambda row: row["favours"] == "intervention")
    copy.change("trials/effects.csv", line, favours="intervetion")
    done = evidence(copy.project, "literature", "check")
    assert done.returncode == 1
    assert f"literature/trials/effects.csv:{line}:favours:" in done.stdout + done.stderr
    assert evidence(copy.project, "sql", "select 1").returncode == 1


def test_a_wrong_query_is_told_without_a_traceback(small):
    done = evidence(small.project, "sql", "select * from trials.nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr
