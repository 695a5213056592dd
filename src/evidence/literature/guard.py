"""Look at the bytes of a CSV file before any parser does.

Parsers trust their input: one takes gigabytes on a file without line breaks, another guesses an
encoding, a third swallows the rest of the file after an open quote. The guard streams the file
once, holds one line of it at a time, and refuses what a plain reviewed table never holds. What
passes has exactly one record on each line, so that the line number of a record is known.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from evidence.errors import Fault

LARGEST_FILE = 128_000_000
LONGEST_LINE = 1_000_000
# More faults of one kind in one file say nothing new.
MOST_FAULTS = 50
_LONGEST_NAME = 60

# The last are U+0080 to U+009F, with which a terminal can be steered as with an escape.
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
# Possessive, so that no line can make it go back and try again.
_CELL = re.compile(rb'(?:"(?:[^"]++|"")*+"|[^",]*+)')
_RECORD = re.compile(rb"%b(?:,%b)*+" % (_CELL.pattern, _CELL.pattern))
_BOM = b"\xef\xbb\xbf"


def split(record: bytes) -> list[bytes]:
    """Cells of a well-formed record, quotes still around them."""
    if b'"' not in record:
        return record.split(b",")
    cells, position = [], 0
    while match := _CELL.match(record, position):
        cells.append(match.group())
        if match.end() == len(record):
            break
        position = match.end() + 1
    return cells


def _column(header: list[str], record: bytes, offset: int) -> str | None:
    """Name of the column in which a byte of a possibly broken record lies."""
    before = record[:offset]
    # Commas inside quotes separate nothing; an open quote keeps all that follows in its cell.
    outside = re.sub(rb'"(?:[^"]|"")*(?:"|\Z)', b"", before)
    return named(header, outside.count(b","))


def named(header: Sequence[str], index: int) -> str | None:
    """How a column is called in a fault: by its name, else by its number."""
    if not header:
        return None
    name = header[index].strip() if index < len(header) else ""
    # As Python writes it, so that no character of it hides or steers a terminal.
    return repr(name[:_LONGEST_NAME])[1:-1] or f"column {index + 1}"


class _Faults:
    """Faults of one file, at most so many of each kind and then a count."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.kept: list[Fault] = []
        self.counts: dict[str, int] = {}

    def add(self, row: int | None, column: str | None, code: str, message: str, fix: str) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= MOST_FAULTS:
            self.kept.append(Fault(self.name, row, column, code, message, fix))

    def all(self) -> list[Fault]:
        more = [
            Fault(self.name, None, None, code, f"{count - MOST_FAULTS} more of this kind")
            for code, count in self.counts.items()
            if count > MOST_FAULTS
        ]
        return self.kept + more


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(LONGEST_LINE + 2):
        yield line


def inspect_stream(stream: BinaryIO, name: str, columns: Sequence[str] = ()) -> list[Fault]:
    """Check a stream of bytes as :func:`inspect` does a file.

    Parameters
    ----------
    stream : binary file
        Read once, a line at a time, at most ``LARGEST_FILE`` bytes.
    name : str
        How the file is called in the faults.
    columns : sequence of str
        What the header should be; names the columns where the file itself does not.

    Returns
    -------
    list of Fault
        Empty if the bytes are a plain table.
    """
    found = _Faults(name)
    header = list(columns)
    total, number, line = 0, 0, b""
    for number, line in enumerate(_lines(stream), start=1):
        total += len(line)
        if total > LARGEST_FILE:
            found.add(
                number,
                named(header, 0),
                "too-large",
                f"the file is larger than {LARGEST_FILE:,} bytes",
                "split the table, or remove what does not belong to it",
            )
            return found.all()
        record = line.removesuffix(b"\n")
        if len(record) > LONGEST_LINE:
            found.add(
                number,
                _column(header, record, len(record)),
                "line-too-long",
                f"the line has more than {LONGEST_LINE:,} bytes",
                "one record on each line, ended by a line feed",
            )
            return found.all()
        if number == 1 and record.startswith(_BOM):
            found.add(
                1,
                named(header, 0),
                "byte-order-mark",
                "the file begins with a byte order mark",
                "save it as UTF-8 without one",
            )
            record = record[len(_BOM) :]
        _inspect_record(found, header, number, record)
        if number == 1 and record and _RECORD.fullmatch(record):
            header = [_plain(cell) for cell in split(record)]
    if number == 0:
        found.add(1, named(header, 0), "empty-file", "the file is empty", "at least the header")
    elif not line.endswith(b"\n"):
        found.add(
            number,
            _column(header, line, len(line)),
            "truncated",
            "the last line does not end in a line feed: the file may have been cut off",
            "the whole last record and a line feed",
        )
    return found.all()


def _plain(cell: bytes) -> str:
    text = cell.decode("utf-8", errors="replace")
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _inspect_record(found: _Faults, header: list[str], number: int, record: bytes) -> None:
    if not record:
        found.add(number, named(header, 0), "blank-line", "the line is blank", "remove it")
        return
    for match in _CONTROL.finditer(record):
        code, what, fix = {
            b"\x00": ("nul", "a NUL byte", "remove it"),
            b"\r": ("carriage-return", "a carriage return", "lines end in a line feed alone"),
        }.get(
            match.group(),
            (
                "control-character",
                f"the control character U+{ord(match.group().decode()):04X}",
                "remove it",
            ),
        )
        found.add(
            number,
            _column(header, record, match.start()),
            code,
            f"{what} at byte {match.start() + 1} of the line",
            fix,
        )
        break
    try:
        record.decode("utf-8")
    except UnicodeDecodeError as error:
        found.add(
            number,
            _column(header, record, error.start),
            "not-utf-8",
            f"byte {error.start + 1} of the line, 0x{record[error.start]:02x}, is not UTF-8",
            "save the file as UTF-8",
        )
    if b'"' not in record:
        cells = record.count(b",") + 1
    elif _RECORD.fullmatch(record):
        cells = len(split(record))
    else:
        beginning = _RECORD.match(record)
        place = beginning.end() if beginning else 0
        # The longest well-formed beginning ends before a cell that opens a quote for good.
        begins_cell = place == 0 or record[place - 1 : place] == b","
        if begins_cell and record[place : place + 1] == b'"':
            code, what = "open-quote", "a quote that is opened and not closed on this line"
        else:
            code, what = "stray-quote", "a quote inside a cell that does not begin with one"
        found.add(
            number,
            _column(header, record, place),
            code,
            what,
            'a cell with quotes, commas or spaces at its ends is written "…", quotes in it '
            "doubled, and has no line break",
        )
        return
    # Whether the header itself is right is told by name, not by number.
    if header and number > 1 and cells != len(header):
        found.add(
            number,
            named(header, min(cells, len(header))),
            "ragged-row",
            f"{cells} cells where the header has {len(header)}",
            "one cell for each column; cells with commas in quotes",
        )


def inspect(path: Path, name: str, columns: Sequence[str] = ()) -> list[Fault]:
    """Check the bytes of a CSV file: size, lines, encoding, quotes and number of cells.

    Reads the file once and keeps one line in memory. A file that is too large is refused before
    it is opened, a line that is too long as soon as its limit is passed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    name : str
        How the file is called in the faults, usually relative to the project.
    columns : sequence of str
        What the header should be; names the columns where the file itself does not.

    Returns
    -------
    list of Fault
        Empty if the file is a plain table: UTF-8 without byte order mark, line feeds, one record
        on each line with as many cells as the header, the last line complete. What is wrong with
        the file as a whole is told of its first cell.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return [Fault(name, None, None, "missing-file", "the file does not exist")]
    if not stat.S_ISREG(status.st_mode):
        return [Fault(name, None, None, "not-a-file", "this is not an ordinary file")]
    if status.st_size > LARGEST_FILE:
        return [
            Fault(
                name,
                1,
                named(columns, 0),
                "too-large",
                f"the file has {status.st_size:,} bytes, more than {LARGEST_FILE:,}",
                "split the table, or remove what does not belong to it",
            )
        ]
    if not os.access(path, os.R_OK):
        return [Fault(name, None, None, "not-readable", "the file may not be read")]
    with path.open("rb") as stream:
        return inspect_stream(stream, name, columns)
