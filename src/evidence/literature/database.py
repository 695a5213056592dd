"""The embedded database, open for reading and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.errors import EvidenceError, UsageError
from evidence.literature.builder import build, state
from evidence.project import Project

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

# A read-only connection could still read any file and write by COPY; these shut it in. The
# configuration is locked, so no query can open it again.
_SHUT: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "lock_configuration": True,
}


def _open(project: Project) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(str(project.database), read_only=True, config=_SHUT)


def _made_from(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("select name, sha256 from main.build_info").fetchall())


def _is_current(project: Project, wanted: dict[str, str]) -> bool:
    import duckdb

    if not project.database.is_file():
        return False
    try:
        with _open(project) as connection:
            return _made_from(connection) == wanted
    except duckdb.Error:
        # Cut off, or of another version: it is a cache, so it is made anew.
        return False


def connect(project: Project | None = None) -> duckdb.DuckDBPyConnection:
    """Open the database for reading; build it first if the data packages have changed.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    duckdb.DuckDBPyConnection
        Read-only, without access to files or the network, its configuration locked. Close it, or
        use it in a ``with`` statement.

    Raises
    ------
    DataError
        If the database has to be built and the data have faults.
    EvidenceError
        If this process still holds a connection to an older database of the same project.
    """
    project = project or Project.find()
    wanted = state(project)
    if not _is_current(project, wanted):
        build(project)
    connection = _open(project)
    if _made_from(connection) != wanted:
        connection.close()
        raise EvidenceError(
            "the data have changed while a connection to the old database was open: close it first"
        )
    return connection


def sql(query: str, project: Project | None = None) -> pd.DataFrame:
    """Run a query on the database.

    Parameters
    ----------
    query : str
        SQL of DuckDB, for example ``select * from trials.studies where country = 'GB'``.
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    pandas.DataFrame
        The result; empty for a statement that returns nothing.

    Raises
    ------
    UsageError
        If the query is wrong, or asks for something that a read-only, shut-in database refuses.
    DataError
        If the database has to be built and the data have faults.
    """
    import duckdb

    with connect(project) as connection:
        try:
            return connection.execute(query).df()
        except duckdb.Error as error:
            raise UsageError(str(error)) from error
