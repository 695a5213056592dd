"""Read the data packages into data frames, typed as their descriptors say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import TypeVar

import pandas as pd

from evidence.errors import DataError, Fault, UsageError
from evidence.literature import guard
from evidence.literature.cells import cell_faults, nearest, shorten
from evidence.literature.package import PACKAGES, Table, all_tables, bridge_table, read_package
from evidence.project import Project

_DTYPES = {"string": "str", "integer": "Int64", "number": "float64", "date": "str"}


@dataclass(frozen=True, eq=False)
class Trials:
    """The tables of ``literature/trials``; each frame has ``_row``, its line in the file."""

    studies: pd.DataFrame
    programmes: pd.DataFrame
    domains: pd.DataFrame
    effects: pd.DataFrame
    unprinted: pd.DataFrame
    constructs: pd.DataFrame
    excluded: pd.DataFrame
    measures: pd.DataFrame
    icc: pd.DataFrame
    costs: pd.DataFrame
    outcome_costs: pd.DataFrame
    prevalence: pd.DataFrame
    appraisals: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Places:
    """The tables of ``literature/places``; each frame has ``_row``, its line in the file."""

    areas: pd.DataFrame
    authorities: pd.DataFrame
    indicators: pd.DataFrame
    observations: pd.DataFrame
    neighbours: pd.DataFrame

    def region(self, area_code: str) -> str | None:
        """Code of the region that an area lies in, also through Inner or Outer London.

        Parameters
        ----------
        area_code : str
            Any code of the table ``areas``.

        Returns
        -------
        str or None
            The region's code; None for England.

        Raises
        ------
        UsageError
            If there is no such area.
        """
        kinds = dict(zip(self.areas["area_code"], self.areas["kind"], strict=True))
        parents = dict(zip(self.areas["area_code"], self.areas["parent_code"], strict=True))
        code: object = area_code
        while isinstance(code, str):
            if code not in kinds:
                raise UsageError(f"there is no area with the code {code!r}")
            if kinds[code] == "region":
                return code
            # NaN, which is no string, above the country.
            code = parents[code]
        return None


def header_faults(table: Table, name: str) -> list[Fault]:
    """Compare the header of a file that has passed the guard with its descriptor.

    Parameters
    ----------
    table : Table
        What is expected.
    name : str
        How the file is called in the faults.

    Returns
    -------
    list of Fault
        Missing, unknown and repeated columns, else a different order.
    """
    found = [
        str(each)
        for each in pd.read_csv(
            table.path, header=None, nrows=1, dtype=str, keep_default_na=False
        ).iloc[0]
    ]
    expected = table.columns
    missing = [each for each in expected if each not in found]
    faults = [
        Fault(name, 1, each, "missing-column", "the column is missing", f"the header is {expected}")
        for each in missing
    ]
    for place, each in enumerate(found):
        if len(faults) > guard.MOST_FAULTS:
            break
        column = guard.named(found, place)
        if each in found[:place]:
            faults.append(
                Fault(
                    name,
                    1,
                    column,
                    "repeated-column",
                    "the column is there twice",
                    "remove one of them",
                )
            )
        elif each not in expected:
            near = nearest(each, missing)
            advice = f"{near!r}?" if near else "remove it, or describe it in datapackage.json"
            message = f"the column {shorten(each)} is not described"
            faults.append(Fault(name, 1, column, "unknown-column", message, advice))
    if not faults and found != expected:
        first = next(a for a, b in zip(found, expected, strict=True) if a != b)
        faults.append(
            Fault(
                name,
                1,
                first,
                "column-order",
                "the columns are in another order",
                ",".join(expected),
            )
        )
    return faults


def read_untyped(table: Table) -> pd.DataFrame:
    """Read a file that has passed the guard as text, nothing guessed.

    Returns
    -------
    pandas.DataFrame
        Every column as text, empty cells as ``""``, and ``_row``, the line in the file.
    """
    frame = pd.read_csv(table.path, dtype=str, keep_default_na=False, na_filter=False)
    frame["_row"] = range(2, len(frame) + 2)
    return frame


def read_table(table: Table, project: Project) -> pd.DataFrame:
    """Read one table with the types of its descriptor.

    Parameters
    ----------
    table : Table
        From :func:`evidence.literature.package.read_package`.
    project : Project
        For the name of the file in faults.

    Returns
    -------
    pandas.DataFrame
        Strings as ``str`` with NaN where empty, integers as ``Int64``, numbers as ``float64``,
        dates as ``datetime64``; and ``_row``, the line in the file (the header is 1).

    Raises
    ------
    DataError
        If the bytes, the header or the types are wrong; rules between cells are left to
        :func:`evidence.literature.validate.check`.
    """
    name = project.relative(table.path)
    faults = guard.inspect(table.path, name, table.columns) or header_faults(table, name)
    if faults:
        raise DataError(faults)
    try:
        frame = pd.read_csv(
            table.path,
            dtype={field.name: _DTYPES[field.type] for field in table.fields},
            keep_default_na=False,
            na_values=[""],
        )
        for field in table.fields:
            if field.type == "date":
                frame[field.name] = pd.to_datetime(frame[field.name], format="%Y-%m-%d")
            elif (
                field.type == "number"
                and frame[field.name].isin([float("inf"), -float("inf")]).any()
            ):
                raise ValueError(f"{field.name} is not finite")
            elif field.type == "number" and frame[field.name].dropna().isin([0.0, 1.0]).all():
                # A column of nothing but these words is read as one of zeros and ones.
                words = pd.read_csv(table.path, usecols=[field.name], dtype=str)[field.name]
                if words.str.lower().isin(["true", "false"]).any():
                    raise ValueError(f"{field.name} holds words")
    except (ValueError, TypeError, OverflowError) as error:
        # Slower, but says which cell it was.
        faults = cell_faults(table, read_untyped(table), name)
        if not faults:
            faults = [Fault(name, None, None, "not-read", f"the table cannot be read: {error}")]
        raise DataError(faults) from error
    frame["_row"] = range(2, len(frame) + 2)
    return frame


_Tables = TypeVar("_Tables", Trials, Places)


def _read(kind: type[_Tables], name: str, project: Project | None) -> _Tables:
    project = project or Project.find()
    package = read_package(project, name)
    frames: dict[str, pd.DataFrame] = {}
    faults: list[Fault] = []
    for field in fields(kind):
        try:
            frames[field.name] = read_table(package.table(field.name), project)
        except KeyError:
            faults.append(
                Fault(
                    project.relative(package.folder / "datapackage.json"),
                    None,
                    None,
                    "missing-table",
                    f"the table {field.name} is not described",
                )
            )
        except DataError as error:
            faults.extend(error.faults)
    if faults:
        raise DataError(faults)
    return kind(**frames)


def read_trials(project: Project | None = None) -> Trials:
    """Read ``literature/trials``.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    Trials
        Its tables, each with the types of its descriptor and ``_row``.

    Raises
    ------
    DataError
        If a file or a descriptor cannot be read as described; all files are tried first.
    """
    return _read(Trials, "trials", project)


def read_places(project: Project | None = None) -> Places:
    """Read ``literature/places``.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.

    Returns
    -------
    Places
        Its tables, each with the types of its descriptor and ``_row``.

    Raises
    ------
    DataError
        If a file or a descriptor cannot be read as described; all files are tried first.
    """
    return _read(Places, "places", project)


def bridge(project: Project | None = None) -> pd.DataFrame:
    """Read ``literature/bridge.csv``.

    Returns
    -------
    pandas.DataFrame
        indicator_id, construct_id (NaN where there is no link), link, reason, reference, ``_row``.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    project = project or Project.find()
    return read_table(bridge_table(project), project)


def inputs_sha256(project: Project | None = None, *names: str) -> str:
    """Hash of the content of tables and their descriptors.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.
    *names : str
        Packages (``"trials"``), tables (``"effects"``) or ``"bridge"``; all if none is given.

    Returns
    -------
    str
        SHA-256 in hexadecimal of the names and bytes of the files, in sorted order.

    Raises
    ------
    UsageError
        If a name is neither a package nor a table.
    DataError
        If a file is missing.
    """
    project = project or Project.find()
    tables = all_tables(project)
    known = {*PACKAGES, *(table.name for table in tables)}
    if unknown := sorted(set(names) - known):
        raise UsageError(
            f"no package or table is called {', '.join(unknown)}; "
            f"there are {', '.join(sorted(known))}"
        )
    paths = set()
    for table in tables:
        if not names or table.name in names or table.package in names:
            paths.add(table.path)
            if table.package:
                paths.add(table.path.parent / "datapackage.json")
    digest = hashlib.sha256()
    for path in sorted(paths):
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise DataError(
                [
                    Fault(
                        project.relative(path),
                        None,
                        None,
                        "missing-file",
                        "the file does not exist",
                    )
                ]
            ) from error
        digest.update(f"{project.relative(path)}\0{content}\n".encode())
    return digest.hexdigest()
