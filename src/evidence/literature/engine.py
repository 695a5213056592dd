"""From a table of text to a typed table in DuckDB, by the descriptor and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evidence.literature.package import Table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_SQL_TYPES = {"string": "varchar", "integer": "bigint", "number": "double", "date": "date"}


def load(connection: duckdb.DuckDBPyConnection, table: Table, frame: pd.DataFrame) -> None:
    """Create a typed table, in the schema of its package, from a table of text.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        A database that may be written to.
    table : Table
        Names and types of the columns.
    frame : pandas.DataFrame
        All columns as text, empty cells as ``""``, and ``_row``. What is not of its type, or not
        finite, becomes NULL.
    """
    schema = table.package or "main"
    columns = []
    for field in table.fields:
        text = f"nullif(\"{field.name}\", '')"
        kind = _SQL_TYPES[field.type]
        if kind == "varchar":
            columns.append(f'{text} as "{field.name}"')
        elif kind == "double":
            number = f"try_cast({text} as double)"
            columns.append(f'if(isfinite({number}), {number}, null) as "{field.name}"')
        else:
            columns.append(f'try_cast({text} as {kind}) as "{field.name}"')
    connection.execute(f'create schema if not exists "{schema}"')
    connection.register("incoming", frame)
    connection.execute(
        f'create table "{schema}"."{table.name}" as select {", ".join(columns)}, _row from incoming'
    )
    connection.unregister("incoming")
