"""Damaged tables: 10,000 of them are told cell by cell or read as they stand, and nothing else.

Each case takes a few real rows, changes their bytes, and sends them through the readers as a file.
What a reader lets through must be what Python's own strict reader finds in the same bytes.
"""

import csv
import dataclasses
import datetime as dt
import io
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.errors import DataError, Fault
from evidence.literature import guard
from evidence.literature.cells import cell_faults
from evidence.literature.package import Table, all_tables
from evidence.literature.read import header_faults, read_table, read_untyped
from evidence.project import Project

# Few columns, and between them all types, limits, vocabularies, patterns and kinds of key.
TABLES = ("areas", "excluded", "icc", "neighbours", "observations")
CASES = 10_000
ROWS = 4

ODD = st.sampled_from([
    b"\x00", b"\r", b"\r\n", b"\n", b"\n\n", b'"', b'""', b",", b",,", b";", b"\t", b" ", b"\x1b",
    b"\x7f", b"\xff", b"\xe9", b"\xc3", b"\xc2\x9b", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"'", b"-",
    b"+", b"0x", b"_", b"e", b"e400", b"1e400", b"inf", b"nan", b"NA", b"true", b"1,5", b"=cmd()",
    b"<script>", b"{{<", b"#", b"\\", b"\xe2\x80\xae", b"\xe2\x80\x8b", b"\xf0\x9f\x98\x80",
    b"\xc2\xa0", b"\xd9\xa3", b"\xe2\x88\x92", b"x" * 1100,
])  # fmt: skip
Mutation = Callable[[bytes], bytes]


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """One change of bytes; places are shares of the length, so that they fit any table."""
    kind = draw(st.sampled_from(["flip", "delete", "cut", "insert", "swap", "replace", "copy"]))
    place = draw(st.floats(0, 1, exclude_max=True))
    size = draw(st.integers(1, 12))
    bit, odd = draw(st.integers(0, 7)), draw(ODD)
    columns = draw(st.tuples(st.integers(0, 11), st.integers(0, 11)))

    def change(text: bytes) -> bytes:
        at = int(place * len(text))
        if kind == "flip" and text:
            return text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]
        if kind == "delete":
            return text[:at] + text[at + size :]
        if kind == "cut":
            return text[:at]
        if kind == "insert":
            return text[:at] + odd + text[at:]
        if kind == "copy":
            return text[:at] + text[at : at + 5 * size] + text[at:]
        lines = [line.split(b",") for line in text.split(b"\n")]
        if kind == "swap":
            one, other = columns
            # Half of the swaps leave the header, the others take it along.
            for line in lines[bit % 2 :]:
                if max(one, other) < len(line):
                    line[one], line[other] = line[other], line[one]
        else:
            line = lines[at % len(lines)]
            line[columns[0] % len(line)] = odd
        return b"\n".join(b",".join(line) for line in lines)

    return change


@pytest.fixture(scope="module")
def samples(project: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    """Tables of a few real rows; where there is one, in a folder that is memory."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        holder = tempfile.TemporaryDirectory(dir=memory, prefix="fuzz-")
        folder = Path(holder.name)
    else:
        holder, folder = None, tmp_path_factory.mktemp("fuzz")
    found = {}
    for table in all_tables(project):
        if table.name in TABLES:
            lines = table.path.read_bytes().splitlines(keepends=True)
            step = max(1, len(lines) // ROWS)
            path = folder / table.path.name
            path.write_bytes(b"".join([lines[0], *lines[1::step][:ROWS]]))
            found[table.name] = dataclasses.replace(table, path=path)
    yield found
    if holder is not None:
        holder.cleanup()


def strict_records(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def assert_told(faults: list[Fault], name: str, content: bytes) -> None:
    """Each fault has a file, and a row and a column that someone can go to."""
    lines = content.count(b"\n") + 1
    for fault in faults:
        assert fault.file == name and fault.code and fault.message
        if not fault.message.endswith("more of this kind"):
            assert fault.row is not None and 1 <= fault.row <= lines
            assert fault.column
            assert str(fault).startswith(f"{name}:{fault.row}:{fault.column}: ")
        assert len(str(fault)) < 2000 and str(fault).isprintable()


def same(value: object, text: str, kind: str) -> bool:
    """Whether a typed value is what the text says."""
    if text == "":
        return bool(pd.isna(value))  # type: ignore[call-overload]
    if kind == "number":
        return isinstance(value, float) and math.isfinite(value) and value == float(text)
    if kind == "integer":
        return float(value) == float(text)  # type: ignore[arg-type]
    if kind == "date":
        return value == pd.Timestamp(dt.date.fromisoformat(text))
    return value == text


def examine(table: Table, content: bytes, project: Project) -> None:
    """Write bytes as the table's file, read it in every way, and compare."""
    table.path.write_bytes(content)
    name = table.path.name
    faults = guard.inspect(table.path, name, table.columns) or header_faults(table, name)
    if faults:
        assert_told(faults, name, content)
        with pytest.raises(DataError):
            read_table(table, project)
        return
    header, *records = strict_records(content)
    assert header == table.columns
    untyped = read_untyped(table)
    assert untyped[header].to_numpy().tolist() == records
    assert untyped["_row"].tolist() == list(range(2, len(records) + 2))
    faults = cell_faults(table, untyped, name)
    assert_told(faults, name, content)
    try:
        typed = read_table(table, project)
    except DataError:
        # It stops at types only, and then the check has found the cell too.
        assert faults
        return
    for field, column in zip(table.fields, zip(*records, strict=True), strict=True):
        for value, text in zip(typed[field.name], column, strict=True):
            assert same(value, text, field.type), (field.name, value, text)
    assert table.path.read_bytes() == content


@pytest.mark.parametrize("name", TABLES)
def test_damaged_tables(name: str, samples: dict[str, Table], project: Project) -> None:
    table = samples[name]
    whole = table.path.read_bytes()
    examine(table, whole, project)
    assert not cell_faults(table, read_untyped(table), name)

    @settings(max_examples=CASES // len(TABLES), deadline=dt.timedelta(seconds=10), database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.lists(mutations(), min_size=1, max_size=3))
    def fuzz(changes: list[Mutation]) -> None:
        content = whole
        for change in changes:
            content = change(content)
        examine(table, content, project)

    try:
        fuzz()
    finally:
        table.path.write_bytes(whole)
