"""Data packages: the folder, the tables and the fields that a ``datapackage.json`` describes.

The descriptor is a Frictionless Data Package (https://specs.frictionlessdata.io). Only the part
that the workbench uses is read here: names, types, constraints, keys and descriptions.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.errors import DataError, Fault
from evidence.project import Project

PACKAGES = ("trials", "places")
TYPES = ("string", "integer", "number", "date")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A descriptor is written by hand; anything larger is a mistake or an attack.
_LARGEST_DESCRIPTOR = 4_000_000


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Attributes
    ----------
    name, type, description : str
        Type is ``string``, ``integer``, ``number`` or ``date``.
    required, unique : bool
        Whether a cell must be filled, and filled cells must differ.
    enum : tuple of str
        The vocabulary; empty if any text is allowed.
    pattern : str or None
        Regular expression that the whole cell must match.
    minimum, maximum : float, str or None
        Limits, both allowed; an ISO date for dates.
    max_length : int or None
        Longest text in characters.
    """

    name: str
    type: str
    description: str = ""
    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    max_length: int | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A column whose filled cells must appear in a column of another table."""

    field: str
    table: str
    target: str


@dataclass(frozen=True)
class Table:
    """One CSV file and what its columns mean.

    Attributes
    ----------
    package : str
        ``trials`` or ``places``; empty for a file beside the packages.
    name : str
        Name of the table, which is the name of the file without ``.csv``.
    path : pathlib.Path
        The file.
    fields : tuple of Field
        In the order of the header.
    key : tuple of str
        Columns that together identify a row.
    foreign_keys : tuple of ForeignKey
        Links to other tables.
    title, description : str
        For people.
    """

    package: str
    name: str
    path: Path
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    title: str = ""
    description: str = ""

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return [field.name for field in self.fields]

    def field(self, name: str) -> Field:
        """The field of that name; raises KeyError where there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@dataclass(frozen=True)
class Package:
    """A described folder of tables."""

    name: str
    folder: Path
    tables: tuple[Table, ...]
    descriptor: dict[str, Any]

    def table(self, name: str) -> Table:
        """The table of that name; raises KeyError where there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


def _limit(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return float(value)


def _field(raw: dict[str, Any]) -> Field:
    constraints = raw.get("constraints", {})
    return Field(
        name=raw["name"],
        type=raw["type"],
        description=raw.get("description", ""),
        required=bool(constraints.get("required", False)),
        unique=bool(constraints.get("unique", False)),
        enum=tuple(str(term) for term in constraints.get("enum", ())),
        pattern=constraints.get("pattern"),
        minimum=_limit(constraints.get("minimum")),
        maximum=_limit(constraints.get("maximum")),
        max_length=constraints.get("maxLength"),
    )


def _names(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _table(package: str, folder: Path, raw: dict[str, Any]) -> Table:
    schema = raw["schema"]
    links = []
    for link in schema.get("foreignKeys", ()):
        fields, targets = _names(link["fields"]), _names(link["reference"]["fields"])
        if len(fields) != 1 or len(targets) != 1:
            raise ValueError(f"the table {raw['name']} has a foreign key over several columns")
        target = link["reference"].get("resource") or raw["name"]
        links.append(ForeignKey(fields[0], target, targets[0]))
    return Table(
        package=package,
        name=raw["name"],
        path=folder / raw["path"],
        fields=tuple(_field(field) for field in schema["fields"]),
        key=_names(schema.get("primaryKey", ())),
        foreign_keys=tuple(links),
        title=raw.get("title", ""),
        description=raw.get("description", ""),
    )


def _wrong_constraint(field: Field) -> str | None:
    """The first constraint of a field that is none for its type."""
    if field.pattern is not None:
        try:
            re.compile(field.pattern)
        except (re.error, TypeError, RecursionError, OverflowError):
            return "pattern"
    most = field.max_length
    if most is not None and (type(most) is not int or most < 1):
        return "maxLength"
    for name, limit in (("minimum", field.minimum), ("maximum", field.maximum)):
        if limit is None:
            continue
        if field.type == "date":
            if not (isinstance(limit, str) and _DATE.fullmatch(limit)):
                return name
        elif field.type == "string" or isinstance(limit, str) or not math.isfinite(limit):
            return name
    return None


def _inconsistencies(tables: tuple[Table, ...]) -> list[str]:
    """What the tables say about each other or themselves that cannot be."""
    wrong = []
    columns = {table.name: set(table.columns) for table in tables}
    if len(columns) < len(tables):
        wrong.append("two tables have one name")
    for table in tables:
        if table.path.name != f"{table.name}.csv":
            wrong.append(f"the path of {table.name} is not {table.name}.csv")
        if len(columns[table.name]) < len(table.fields):
            wrong.append(f"{table.name} describes a column twice")
        for field in table.fields:
            if not _NAME.fullmatch(field.name):
                wrong.append(f"{table.name} has a column named {field.name!r}")
            if field.type not in TYPES:
                wrong.append(f"{table.name}.{field.name} has the type {field.type!r}")
            elif constraint := _wrong_constraint(field):
                wrong.append(f"the {constraint} of {table.name}.{field.name} cannot be one")
        if missing := set(table.key) - columns[table.name]:
            wrong.append(f"the key of {table.name} names {sorted(missing)}, which it does not have")
        for link in table.foreign_keys:
            if link.field not in columns[table.name]:
                wrong.append(f"{table.name} has no column {link.field} for its foreign key")
            if link.target not in columns.get(link.table, set()):
                wrong.append(
                    f"{table.name}.{link.field} points to {link.table}.{link.target}, "
                    "which does not exist"
                )
    return wrong


def read_package(project: Project, name: str) -> Package:
    """Read the descriptor of a data package.

    Parameters
    ----------
    project : Project
        Where to look: ``literature/NAME/datapackage.json``.
    name : str
        ``trials`` or ``places``.

    Returns
    -------
    Package
        Its tables, in the order of the descriptor.

    Raises
    ------
    DataError
        If the descriptor is missing, is no JSON, or contradicts itself. Nothing in it can point
        outside its folder: each path must be the name of the table followed by ``.csv``.
    """
    folder = project.literature / name
    path = folder / "datapackage.json"
    shown = project.relative(path)

    def refuse(code: str, message: str, suggestion: str = "") -> DataError:
        return DataError([Fault(shown, None, None, code, message, suggestion)])

    try:
        if path.stat().st_size > _LARGEST_DESCRIPTOR:
            raise refuse("too-large", "the descriptor is larger than 4 MB")
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise refuse("missing-file", "the file does not exist") from error
    except (ValueError, RecursionError) as error:
        raise refuse("bad-json", f"not JSON: {error}") from error
    try:
        tables = tuple(_table(name, folder, resource) for resource in raw["resources"])
        # A path with a folder in it would leave the package.
        outside = [table.name for table in tables if table.path.parent != folder]
        wrong = _inconsistencies(tables) + [f"the path of {each} has a folder" for each in outside]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise refuse("bad-descriptor", f"not a data package of tables: {error!r}") from error
    if wrong:
        raise DataError([Fault(shown, None, None, "bad-descriptor", text) for text in wrong])
    return Package(name, folder, tables, raw)


def bridge_table(project: Project) -> Table:
    """The table ``bridge.csv``, which links the two packages and so belongs to neither."""
    return Table(
        package="",
        name="bridge",
        path=project.literature / "bridge.csv",
        fields=(
            Field("indicator_id", "string", "A need of places/indicators.", required=True),
            Field("construct_id", "string", "What trials measured; empty where nothing fits."),
            Field(
                "link",
                "string",
                "same-outcome: trials measured what the indicator counts; plausible-path: a "
                "published reason to expect one to move the other; no-link: no trial here.",
                required=True,
                enum=("same-outcome", "plausible-path", "no-link"),
            ),
            Field("reason", "string", "Why, in a sentence.", required=True),
            Field("reference", "string", "URL, DOI or study ids that carry the reason."),
        ),
        key=("indicator_id", "construct_id"),
        foreign_keys=(
            ForeignKey("indicator_id", "indicators", "indicator_id"),
            ForeignKey("construct_id", "constructs", "construct_id"),
        ),
        title="Bridge",
        description="Which local indicator speaks to which construct of the trials.",
    )


def all_tables(project: Project) -> tuple[Table, ...]:
    """All tables of the literature, the packages' first and the bridge last.

    Raises
    ------
    DataError
        If a descriptor cannot be read.
    """
    packages = [read_package(project, name) for name in PACKAGES]
    return (*(table for package in packages for table in package.tables), bridge_table(project))
