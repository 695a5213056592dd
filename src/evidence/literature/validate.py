"""Check the data packages and report every fault with its file, line and column.

Four steps, each on what the one before let through: bytes (:mod:`.guard`), headers, cells and
keys (:mod:`.cells`), and the rules between cells and tables in ``rules/*.sql``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from evidence.errors import DataError, Fault
from evidence.files import write_atomically
from evidence.literature import guard
from evidence.literature.cells import cell_faults, link_faults, shorten
from evidence.literature.engine import load
from evidence.literature.package import (
    PACKAGES,
    Package,
    Table,
    bridge_table,
    read_package,
)
from evidence.literature.read import header_faults, inputs_sha256, read_untyped
from evidence.project import Project

_RULES = Path(__file__).with_name("rules")
# A cell with one of these is empty for the rules, so what they say of its row may not be so.
_UNREADABLE = {"not-a-number", "not-finite", "not-a-whole-number", "not-a-date"}
_HUGE = {"too-large", "line-too-long"}
_USED = re.compile(r"\b(?:trials|places|main)\.([a-z_]+)")


@dataclass(frozen=True)
class Rule:
    """A query that selects the rows which break a rule.

    Attributes
    ----------
    code : str
        Short stable name.
    table : str
        The table whose rows are at fault.
    column : str
        The column to look at, unless the query names another as ``column_name``.
    suggestion : str
        What would be right.
    query : str
        Selects ``_row``, ``message`` and perhaps ``column_name``.
    """

    code: str
    table: str
    column: str
    suggestion: str
    query: str

    @property
    def needs(self) -> set[str]:
        """Names of the tables that the query reads."""
        return set(_USED.findall(self.query))


def _parse(text: str) -> Iterator[Rule]:
    for block in text.split("-- rule: ")[1:]:
        head, *lines = block.split("\n")
        labels: dict[str, str] = {}
        while lines and (label := re.fullmatch(r"-- (table|column|suggestion): (.+)", lines[0])):
            labels[label[1]] = label[2]
            lines.pop(0)
        yield Rule(
            head.strip(),
            labels["table"],
            labels["column"],
            labels["suggestion"],
            "\n".join(lines).strip().removesuffix(";"),
        )


@cache
def rules() -> tuple[Rule, ...]:
    """All rules between cells, in the order of their files."""
    return tuple(
        rule
        for path in sorted(_RULES.glob("*.sql"))
        for rule in _parse(path.read_text(encoding="utf-8"))
    )


@cache
def code_sha256() -> str:
    """Hash of the code and rules that decide what is a fault."""
    digest = hashlib.sha256()
    for path in sorted([*Path(__file__).parent.glob("*.py"), *_RULES.glob("*.sql")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _descriptor_faults(package: Package, name: str) -> list[Fault]:
    """What the Frictionless standard says against the descriptor."""
    import frictionless

    report = frictionless.Package.validate_descriptor(package.descriptor)
    return [Fault(name, None, None, "bad-descriptor", str(error.note)) for error in report.errors]


def _without_cascades(faults: list[Fault]) -> list[Fault]:
    """One fault for each cell: the first says why the others follow."""
    seen: set[tuple[str, int, str]] = set()
    kept = []
    for fault in faults:
        if fault.row is not None and fault.column is not None:
            place = (fault.file, fault.row, fault.column)
            if place in seen:
                continue
            seen.add(place)
        kept.append(fault)
    return kept


def _rule_faults(
    tables: dict[str, Table], frames: dict[str, pd.DataFrame], project: Project
) -> list[Fault]:
    import duckdb

    faults: list[Fault] = []
    with duckdb.connect(
        ":memory:", config={"enable_external_access": False, "allow_community_extensions": False}
    ) as connection:
        for name, frame in frames.items():
            load(connection, tables[name], frame)
        for rule in rules():
            if not rule.needs <= frames.keys():
                continue
            broken = connection.execute(f"from ({rule.query}) order by _row").df()
            file = project.relative(tables[rule.table].path)
            columns = broken.get("column_name", pd.Series(rule.column, index=broken.index))
            shown = list(zip(broken["_row"], columns, broken["message"], strict=True))
            faults.extend(
                Fault(file, int(row), str(column), rule.code, str(message), rule.suggestion)
                for row, column, message in shown[: guard.MOST_FAULTS]
            )
            if len(shown) > guard.MOST_FAULTS:
                faults.append(
                    Fault(
                        file,
                        None,
                        rule.column,
                        rule.code,
                        f"{len(shown) - guard.MOST_FAULTS} more of this kind",
                    )
                )
    return faults


def _excluded_faults(
    tables: dict[str, Table], frames: dict[str, pd.DataFrame], project: Project
) -> list[Fault]:
    """Rows of ``excluded.csv`` whose file or key does not exist."""
    if "excluded" not in frames:
        return []
    name = project.relative(tables["excluded"].path)
    faults = []
    for row, file, key in frames["excluded"][["_row", "file", "key"]].itertuples(index=False):
        target = file.removesuffix(".csv")
        if target not in tables or len(tables[target].key) != 1:
            faults.append(
                Fault(
                    name,
                    int(row),
                    "file",
                    "no-such-table",
                    f"{shorten(file)} is no table with a key of one column",
                    "effects, unprinted, studies or another table of this package",
                )
            )
        elif target in frames and key not in set(frames[target][tables[target].key[0]]):
            faults.append(
                Fault(
                    name,
                    int(row),
                    "key",
                    "points-to-nothing",
                    f"{shorten(key)} is not in {target}.csv",
                    "the key of a row that is there and left out of every pool",
                )
            )
    return faults


def _find_faults(project: Project) -> list[Fault]:
    faults: list[Fault] = []
    tables: dict[str, Table] = {}
    packages: list[Package] = []
    for name in PACKAGES:
        try:
            package = read_package(project, name)
        except DataError as error:
            faults.extend(error.faults)
            continue
        shown = project.relative(package.folder / "datapackage.json")
        packages.append(package)
        described = {table.path.name for table in package.tables}
        faults.extend(
            Fault(
                project.relative(path),
                None,
                None,
                "not-described",
                "the file is not in datapackage.json",
                "describe it, or move it elsewhere",
            )
            for path in sorted(package.folder.glob("*.csv"))
            if path.name not in described
        )
        for table in package.tables:
            if table.name in tables:
                faults.append(
                    Fault(
                        shown,
                        None,
                        None,
                        "bad-descriptor",
                        f"both packages have a table {table.name}",
                    )
                )
            tables[table.name] = table
    tables["bridge"] = bridge_table(project)
    unfit = {
        name: guard.inspect(table.path, project.relative(table.path), table.columns)
        for name, table in tables.items()
    }
    # A file that is no table at all is told before others cost time and memory.
    if huge := [fault for each in unfit.values() for fault in each if fault.code in _HUGE]:
        return huge
    for package in packages:
        shown = project.relative(package.folder / "datapackage.json")
        faults.extend(_descriptor_faults(package, shown))
    frames: dict[str, pd.DataFrame] = {}
    for name, table in tables.items():
        file = project.relative(table.path)
        broken = unfit[name] or header_faults(table, file)
        faults.extend(broken)
        if not broken:
            frames[name] = read_untyped(table)
            faults.extend(cell_faults(table, frames[name], file))
    for name, frame in frames.items():
        faults.extend(link_faults(tables[name], frame, project.relative(tables[name].path), frames))
    faults.extend(_excluded_faults(tables, frames, project))
    unread = {(fault.file, fault.row) for fault in faults if fault.code in _UNREADABLE}
    faults.extend(
        fault
        for fault in _rule_faults(tables, frames, project)
        if (fault.file, fault.row) not in unread
    )
    return sorted(
        _without_cascades(faults),
        key=lambda fault: (fault.file, fault.row is None, fault.row or 0, fault.column or ""),
    )


def check(project: Project | None = None, *, fresh: bool = False) -> list[Fault]:
    """Check everything under ``literature/trials``, ``literature/places`` and the bridge.

    Parameters
    ----------
    project : Project, optional
        By default the project of the working directory.
    fresh : bool
        Check even if neither data nor rules have changed since the last check without a fault.

    Returns
    -------
    list of Fault
        Every fault, sorted by file and line; empty if all is well. Of one kind in one column no
        more than 50 are listed, then a count of the others. A cell has one fault: what follows
        from it is not reported again.
    """
    project = project or Project.find()
    stamp = project.build / "checked.json"
    try:
        # A table that nobody described is no input, but it is a fault.
        files = [
            path.name for name in PACKAGES for path in (project.literature / name).glob("*.csv")
        ]
        state = {
            "inputs": inputs_sha256(project),
            "code": code_sha256(),
            "files": ",".join(sorted(files)),
        }
    except DataError:
        return _find_faults(project)
    if not fresh:
        try:
            if json.loads(stamp.read_text(encoding="utf-8")) == state:
                return []
        except (OSError, ValueError):
            pass
    faults = _find_faults(project)
    if not faults:
        write_atomically(stamp, json.dumps(state, indent=1, sort_keys=True) + "\n")
    return faults
