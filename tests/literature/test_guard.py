"""The guard refuses what no plain table holds, says where, and needs little memory for it."""

import csv
import io
import os
import subprocess
import sys
import time
import tracemalloc

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence.literature import guard
from evidence.literature.guard import inspect, inspect_stream

HEADER = b"id,name,value\n"


def faults(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    found = inspect(path, "table.csv")
    assert path.read_bytes() == content
    return [(fault.row, fault.column, fault.code) for fault in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEADER + b"a,b,1\n", []),
        (HEADER + b'a,"b, ""c""",1\n', []),
        (HEADER + "a,\N{SNOWMAN}é,1\n".encode(), []),
        (b"", [(1, None, "empty-file")]),
        (HEADER + b"a,b,1", [(2, "value", "truncated")]),
        (HEADER + b"a,b,1\nc,d", [(3, "value", "ragged-row"), (3, "name", "truncated")]),
        (HEADER + b"a,b,1\nc,d\n", [(3, "value", "ragged-row")]),
        (HEADER + b"a,b,1,2\n", [(2, "column 4", "ragged-row")]),
        (HEADER + b"a,caf\xe9,1\n", [(2, "name", "not-utf-8")]),
        (HEADER + b"a,b,1\nc,\xed\xa0\x80,1\n", [(3, "name", "not-utf-8")]),
        (HEADER + b"a,b,\x001\n", [(2, "value", "nul")]),
        (HEADER + b"a,b\x1bc,1\n", [(2, "name", "control-character")]),
        (HEADER + b"a,b\xc2\x9bc,1\n", [(2, "name", "control-character")]),
        (b"id,name,value\r\n", [(1, None, "carriage-return")]),
        (b"\xef\xbb\xbf" + HEADER, [(1, None, "byte-order-mark")]),
        (HEADER + b"\n", [(2, "id", "blank-line")]),
        (HEADER + b'a,"b,1\n', [(2, "name", "open-quote")]),
        (HEADER + b'a,b,"1\n', [(2, "value", "open-quote")]),
        (HEADER + b'"a,b,1\n', [(2, "id", "open-quote")]),
        (HEADER + b'a,b"c",1\n', [(2, "name", "stray-quote")]),
        (HEADER + b'a,"b"c,1\n', [(2, "name", "stray-quote")]),
        (HEADER + b'"x, y","b"c,1\n', [(2, "name", "stray-quote")]),
    ],
)
def test_each_fault_has_its_line_and_column(tmp_path, content, expected):
    assert faults(tmp_path, content) == expected


def test_every_fault_is_found_not_only_the_first(tmp_path):
    content = HEADER + b'a,\xff,1\nb,"c,1\nd,e\nf,g\x00,1\n'
    assert [code for _, _, code in faults(tmp_path, content)] == [
        "not-utf-8", "open-quote", "ragged-row", "nul",
    ]  # fmt: skip


def test_many_faults_of_one_kind_are_counted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(HEADER + b"a,b\n" * 200)
    found = inspect(path, "table.csv")
    assert len(found) == guard.MOST_FAULTS + 1
    assert found[-1].message == f"{200 - guard.MOST_FAULTS} more of this kind"


def test_a_long_cell_passes_and_a_longer_line_does_not(tmp_path):
    assert faults(tmp_path, HEADER + b"a," + b"x" * 100_000 + b",1\n") == []
    line = HEADER + b"a," + b"x" * guard.LONGEST_LINE + b",1\nc,d\n"
    assert faults(tmp_path, line) == [(2, "name", "line-too-long")]


@pytest.mark.parametrize("size", [1_000_000_000, guard.LARGEST_FILE])
def test_a_huge_file_without_lines_is_refused_at_once_in_little_memory(tmp_path, size):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(size)
    # In a process of its own, so that its greatest memory is that of the guard. The kernel hands
    # the peak of getrusage on to children, so /proc is asked where there is one.
    program = (
        "import pathlib, re, resource, sys\n"
        "from evidence.literature.guard import inspect\n"
        "print(inspect(pathlib.Path(sys.argv[1]), 'huge.csv')[0].code)\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "if status.exists():\n"
        "    print(int(re.search(r'VmHWM:\\s+(\\d+) kB', status.read_text())[1]) * 1024)\n"
        "else:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - before < 10
    code, memory = done.stdout.split()
    assert code == ("too-large" if size > guard.LARGEST_FILE else "line-too-long")
    assert int(memory) < 200_000_000


def test_reading_stops_at_the_limit_when_a_stream_never_ends(monkeypatch):
    monkeypatch.setattr(guard, "LARGEST_FILE", 1000)
    read = 0

    class Endless(io.RawIOBase):
        def readline(self, size=-1, /):
            nonlocal read
            read += 8
            return b"a,b,cde\n"

    assert inspect_stream(Endless(), "x")[-1].code == "too-large"
    assert read <= 1016


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    assert [fault.code for fault in inspect(tmp_path, "x")] == ["not-a-file"]
    assert [fault.code for fault in inspect(tmp_path / "none.csv", "x")] == ["missing-file"]
    os.mkfifo(tmp_path / "pipe.csv")
    assert [fault.code for fault in inspect(tmp_path / "pipe.csv", "x")] == ["not-a-file"]


def test_a_line_made_to_be_slow_is_quick():
    line = b'"a""' * 100_000 + b"\n"
    before = time.monotonic()
    inspect_stream(io.BytesIO(HEADER + line), "x")
    assert time.monotonic() - before < 2


PIECES = st.sampled_from(
    [b"a", b"12", b",", b",", b'"', b'""', b"\n", b"\n", b"\r", b"\x00", b" ", b"\xff", b"\xc3",
     b"\xc3\xa9", b"\xef\xbb\xbf", b"=cmd()", b"<script>", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80"]
)  # fmt: skip


@settings(max_examples=2000, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.lists(PIECES, max_size=40).map(b"".join)))
@example(b'a,b\n"",""\n')
@example(b'a,b\n",\n')
def test_what_passes_is_read_alike_by_every_parser(content):
    found = inspect_stream(io.BytesIO(content), "x")
    if found:
        assert all(fault.code and fault.message and fault.file == "x" for fault in found)
        return
    text = content.decode("utf-8")
    records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    # One record on each line, each as wide as the header.
    assert len(records) == content.count(b"\n") == len(content.split(b"\n")) - 1
    assert {len(record) for record in records} == {len(records[0])}
    frame = pd.read_csv(io.BytesIO(content), header=None, dtype=str, keep_default_na=False,
                        na_filter=False, skip_blank_lines=False)  # fmt: skip
    assert frame.to_numpy().tolist() == records
    for line, record in zip(content.split(b"\n"), records, strict=False):
        assert [guard._plain(cell) for cell in guard.split(line)] == record


def test_the_guard_keeps_one_line_at_a_time(tmp_path):
    path = tmp_path / "long.csv"
    path.write_bytes(HEADER + b"a,b,1\n" * 100_000)
    tracemalloc.start()
    try:
        assert inspect(path, "long.csv") == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
