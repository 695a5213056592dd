"""Build the embedded database: check, write a new file, put it in place."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from evidence.errors import DataError, Fault
from evidence.literature.engine import load
from evidence.literature.package import all_tables
from evidence.literature.read import inputs_sha256, read_untyped
from evidence.literature.validate import check, code_sha256
from evidence.project import Project

_RESULT = re.compile(r"[a-z][a-z0-9_]*")


def _result_files(project: Project) -> list[Path]:
    """Parquet files of estimates, which become the tables of the schema ``results``."""
    found = (project.build / "evidence").glob("*.parquet")
    return sorted(path for path in found if _RESULT.fullmatch(path.stem))


def state(project: Project) -> dict[str, str]:
    """What the database is made from; it is stale when any of these hashes differs.

    Returns
    -------
    dict
        SHA-256 of ``inputs`` (the data packages), ``code`` (rules and readers) and ``results``
        (Parquet files under ``build/evidence``).
    """
    digest = hashlib.sha256()
    for path in _result_files(project):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return {
        "inputs": inputs_sha256(project),
        "code": code_sha256(),
        "results": digest.hexdigest(),
    }


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write(project: Project, path: Path, made_from: dict[str, str]) -> None:
    import duckdb
    import pyarrow
    import pyarrow.parquet

    with duckdb.connect(str(path)) as connection:
        for table in all_tables(project):
            load(connection, table, read_untyped(table))
            name = f'"{table.package or "main"}"."{table.name}"'
            if table.description:
                connection.execute(f"comment on table {name} is {_quote(table.description)}")
            for field in table.fields:
                connection.execute(
                    f'comment on column {name}."{field.name}" is {_quote(field.description)}'
                )
            connection.execute(
                f"comment on column {name}._row is 'Line in the file; the header is 1.'"
            )
        connection.execute("create schema results")
        for file in _result_files(project):
            try:
                result = pyarrow.parquet.read_table(file)
            except (OSError, pyarrow.ArrowException) as error:
                raise DataError(
                    [
                        Fault(
                            project.relative(file),
                            None,
                            None,
                            "not-read",
                            f"not a Parquet file: {error}",
                            "delete it; it is made anew",
                        )
                    ]
                ) from error
            connection.register("incoming", result)
            connection.execute(f'create table results."{file.stem}" as from incoming')
            connection.unregister("incoming")
        connection.execute("create table main.build_info (name varchar, sha256 varchar)")
        connection.executemany("insert into main.build_info values (?, ?)", list(made_from.items()))


def build(project: Project | None = None) -> Path:
    """Check the data packages and write the database anew.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    pathlib.Path
        ``build/evidence.duckdb``: the schemas ``trials`` and ``places`` with one table for each
        CSV file, ``bridge`` in the main schema, and ``results`` with one table for each Parquet
        file under ``build/evidence``. Every table of a CSV file has ``_row``, its line there.

    Raises
    ------
    DataError
        If there is any fault; the database stays as it was.
    """
    project = project or Project.find()
    if faults := check(project):
        raise DataError(faults)
    made_from = state(project)
    project.build.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=project.build, prefix=".database."))
    try:
        path = folder / project.database.name
        _write(project, path, made_from)
        path.replace(project.database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return project.database
