"""Rules for single cells and single tables: types, vocabularies, limits, keys, links, doubles.

They come from the descriptors, so a new column needs no new code. All work on text, whole columns
at a time; words are spent only on the cells that are wrong.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from evidence.errors import Fault
from evidence.literature.guard import MOST_FAULTS
from evidence.literature.package import Field, Table

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URL = re.compile(r"https?://[^\s<>\"'`\\^{|}]+", re.IGNORECASE)
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")


# A cell of a table that is longer is no cell; a descriptor may set another limit for its column.
LONGEST_CELL = 1000
# Likeness takes time that grows with the square of the length, and long texts are no typing errors.
_LONGEST_WORD = 200


def nearest(text: str, terms: Sequence[str]) -> str | None:
    """The term that a misspelt word is most like, or None."""
    near = difflib.get_close_matches(text, terms, n=1) if len(text) <= _LONGEST_WORD else []
    return near[0] if near else None


def shorten(text: str, width: int = 60) -> str:
    """A cell as it is quoted in a message: one line, not too long, escapes shown."""
    return repr(text if len(text) <= width else text[: width - 1] + "…")


class _Found:
    """Faults of one table; at most so many of each kind in each column, then a count."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []

    def cells(
        self,
        frame: pd.DataFrame,
        wrong: pd.Series,
        column: str,
        code: str,
        message: Callable[[str], str],
        suggestion: str | Callable[[str], str] = "",
    ) -> None:
        """Take note of the cells of a column where ``wrong`` (a boolean per row) is true."""
        count = int(wrong.sum())
        if not count:
            return
        rows = frame.loc[wrong, "_row"].head(MOST_FAULTS)
        texts = frame.loc[rows.index, column]
        for row, text in zip(rows, texts, strict=True):
            advice = suggestion if isinstance(suggestion, str) else suggestion(text)
            self.faults.append(Fault(self.name, int(row), column, code, message(text), advice))
        if count > MOST_FAULTS:
            self.faults.append(
                Fault(self.name, None, column, code, f"{count - MOST_FAULTS} more of this kind")
            )


def _uniques(column: pd.Series, test: Callable[[str], bool]) -> pd.Series:
    """Boolean per row: whether a filled cell fails the test, tried once for each text."""
    failed = [text for text in column.unique() if text != "" and not test(text)]
    return column.isin(failed)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _number_advice(text: str) -> str:
    plain = text.strip().replace(",", "").replace("\N{MINUS SIGN}", "-").lstrip("+")
    if len(plain) > _LONGEST_WORD:
        return "the figure as printed"
    if _NUMBER.fullmatch(plain):
        return plain
    if re.fullmatch(r"-?\.[0-9]+", plain):
        return plain.replace(".", "0.")
    return "a number such as 12 or -0.5; empty if it is not known"


def _type_faults(found: _Found, frame: pd.DataFrame, field: Field) -> pd.Series:
    """Report cells that are not of their type; returns which rows are fit for limits."""
    column = frame[field.name]
    if field.type == "date":
        bad = _uniques(column, _is_date)
        found.cells(
            frame,
            bad,
            field.name,
            "not-a-date",
            lambda text: f"{shorten(text)} is no date",
            "a date such as 2025-03-31",
        )
    elif field.type == "integer":
        bad = _uniques(column, lambda text: bool(_INTEGER.fullmatch(text)))
        found.cells(
            frame,
            bad,
            field.name,
            "not-a-whole-number",
            lambda text: f"{shorten(text)} is no whole number",
            "a whole number such as 12; empty if it is not known",
        )
    elif field.type == "number":
        shape = _uniques(column, lambda text: bool(_NUMBER.fullmatch(text)))
        named = shape & column.isin([t for t in column.unique() if _NOT_FINITE.fullmatch(t)])
        huge = ~shape & _uniques(
            column.where(~shape, ""), lambda text: abs(float(text)) < float("inf")
        )
        found.cells(
            frame,
            shape & ~named,
            field.name,
            "not-a-number",
            lambda text: f"{shorten(text)} is no number",
            _number_advice,
        )
        found.cells(
            frame,
            named | huge,
            field.name,
            "not-finite",
            lambda text: f"{shorten(text)} is not a finite number",
            "the figure as printed; empty if it is not known",
        )
        bad = shape | huge
    else:
        bad = pd.Series(False, index=frame.index)
    return ~bad & (column != "")


def _limit_faults(found: _Found, frame: pd.DataFrame, field: Field, fit: pd.Series) -> None:
    """Report cells beyond the minimum or maximum of their column."""
    if field.minimum is None and field.maximum is None:
        return
    text = frame[field.name].where(fit)
    values: pd.Series = text if field.type == "date" else text.astype(float)
    low, high = field.minimum, field.maximum
    if low is not None:
        code = "negative" if low == 0 else "too-small"
        found.cells(
            frame,
            fit & (values < low).fillna(False).astype(bool),
            field.name,
            code,
            lambda cell: f"{shorten(cell)} is below {_plain(low)}",
            f"at least {_plain(low)}",
        )
    if high is not None:
        found.cells(
            frame,
            fit & (values > high).fillna(False).astype(bool),
            field.name,
            "too-large-value",
            lambda cell: f"{shorten(cell)} is above {_plain(high)}",
            f"at most {_plain(high)}",
        )


def _plain(limit: float | str) -> str:
    return limit if isinstance(limit, str) else f"{limit:g}"


def _word_advice(terms: tuple[str, ...]) -> Callable[[str], str]:
    def advise(text: str) -> str:
        near = nearest(text.strip().lower(), terms)
        listed = ", ".join(terms) if len(terms) <= 12 else ", ".join(terms[:12]) + ", …"
        return f"{near!r}? One of {listed}" if near else f"one of {listed}"

    return advise


def _text_faults(found: _Found, frame: pd.DataFrame, field: Field) -> None:
    """Report cells outside a vocabulary, pattern or length, and links that are none."""
    column = frame[field.name]
    spaced = column != column.str.strip()
    found.cells(
        frame,
        spaced,
        field.name,
        "outer-space",
        lambda text: f"{shorten(text)} begins or ends with a space",
        lambda text: shorten(text.strip()),
    )
    if field.enum:
        found.cells(
            frame,
            (column != "") & ~spaced & ~column.isin(field.enum),
            field.name,
            "not-in-vocabulary",
            lambda text: f"{shorten(text)} is not in the vocabulary",
            _word_advice(field.enum),
        )
    if field.pattern is not None:
        pattern = re.compile(field.pattern)
        found.cells(
            frame,
            _uniques(column, lambda text: bool(pattern.fullmatch(text))),
            field.name,
            "wrong-form",
            lambda text: f"{shorten(text)} does not have the form of this column",
            f"text that matches {field.pattern}",
        )
    most = LONGEST_CELL if field.max_length is None else field.max_length
    found.cells(
        frame,
        column.str.len() > most,
        field.name,
        "too-long",
        lambda text: f"{shorten(text)} has {len(text):,} characters",
        f"at most {most:,} characters",
    )
    if field.name == "url" or field.name.endswith("_url"):
        found.cells(
            frame,
            _uniques(column, lambda text: bool(_URL.fullmatch(text))),
            field.name,
            "not-a-web-address",
            lambda text: f"{shorten(text)} is no web address",
            "an address that begins with https:// or http://",
        )
    if field.name == "doi":
        found.cells(
            frame,
            _uniques(column, lambda text: bool(_DOI.fullmatch(text))),
            field.name,
            "not-a-doi",
            lambda text: f"{shorten(text)} is no DOI",
            "a DOI without prefix, such as 10.1136/bmj.39126.620799.55",
        )


def _key_faults(found: _Found, table: Table, frame: pd.DataFrame) -> None:
    """Report empty or repeated keys, repeated unique cells, and rows stored under two keys."""
    for field in table.fields:
        column = frame[field.name]
        if field.required or field.name in table.key[:1]:
            found.cells(
                frame,
                column == "",
                field.name,
                "required",
                lambda _text: "the cell is empty",
                "this column is never empty",
            )
        if field.unique and (field.name,) != table.key:
            again = column.duplicated() & (column != "")
            found.cells(
                frame,
                again,
                field.name,
                "not-unique",
                lambda text: f"{shorten(text)} is there already",
                "each cell of this column is different",
            )
    if not table.key:
        return
    key = list(table.key)
    again = frame.duplicated(key)
    if again.any():
        first = frame.drop_duplicates(key).set_index(key)["_row"]
        rows = frame[again]
        for _, row in rows.head(MOST_FAULTS).iterrows():
            values = tuple(row[key])
            line = first[values if len(key) > 1 else values[0]]
            found.faults.append(
                Fault(
                    found.name,
                    int(row["_row"]),
                    key[-1],
                    "duplicate-key",
                    f"the key {shorten('/'.join(values))} is already on line {line}",
                    "one row for each key",
                )
            )
        if len(rows) > MOST_FAULTS:
            found.faults.append(
                Fault(
                    found.name,
                    None,
                    key[-1],
                    "duplicate-key",
                    f"{len(rows) - MOST_FAULTS} more of this kind",
                )
            )
    rest = [each for each in table.columns if each not in key]
    if len(key) == 1 and len(rest) > 2:
        double = frame.duplicated(rest) & ~again
        for _, row in frame[double].head(MOST_FAULTS).iterrows():
            same = (frame[rest] == row[rest]).all(axis=1)
            line = frame.loc[same, "_row"].iloc[0]
            found.faults.append(
                Fault(
                    found.name,
                    int(row["_row"]),
                    key[0],
                    "duplicate-row",
                    f"{shorten(row[key[0]])} says the same as line {line}",
                    "remove one, or say what differs",
                )
            )


def _order_faults(found: _Found, table: Table, frame: pd.DataFrame) -> None:
    """Report the first row that is out of the order of the key."""
    if not table.key or len(frame) < 2:
        return
    keys = []
    for name in table.key:
        column = frame[name]
        if table.field(name).type in ("integer", "number"):
            numbers = pd.to_numeric(column, errors="coerce")
            if numbers.isna().any():
                return
            keys.append(numbers.tolist())
        else:
            keys.append(column.tolist())
    rows = list(zip(*keys, strict=True))
    for place in range(1, len(rows)):
        if rows[place] < rows[place - 1]:
            shown = "/".join(str(part) for part in rows[place])
            found.faults.append(
                Fault(
                    found.name,
                    int(frame["_row"].iloc[place]),
                    table.key[0],
                    "not-sorted",
                    f"{shorten(shown)} comes after a greater key",
                    f"rows sorted by {', '.join(table.key)}",
                )
            )
            return


def cell_faults(table: Table, frame: pd.DataFrame, name: str) -> list[Fault]:
    """Check one table against its descriptor, all but its links to other tables.

    Parameters
    ----------
    table : Table
        What is expected.
    frame : pandas.DataFrame
        All columns of the table as text, and ``_row``.
    name : str
        How the file is called in the faults.

    Returns
    -------
    list of Fault
        Every fault, sorted by line; no more than ``MOST_FAULTS`` of one kind in one column, then
        a count of the rest.
    """
    found = _Found(name)
    for field in table.fields:
        fit = _type_faults(found, frame, field)
        _limit_faults(found, frame, field, fit)
        _text_faults(found, frame, field)
    _key_faults(found, table, frame)
    _order_faults(found, table, frame)
    return sorted(found.faults, key=lambda each: (each.row is None, each.row or 0))


def link_faults(
    table: Table, frame: pd.DataFrame, name: str, others: Mapping[str, pd.DataFrame]
) -> list[Fault]:
    """Check that every filled foreign key exists.

    Parameters
    ----------
    table, frame, name
        As in :func:`cell_faults`.
    others : mapping of str to pandas.DataFrame
        The tables that could be read, by name; links to others are not judged.

    Returns
    -------
    list of Fault
        One for each cell that points to nothing, with the nearest key that exists.
    """
    found = _Found(name)
    for link in table.foreign_keys:
        if link.table not in others:
            continue
        known = others[link.table][link.target]
        keys = [key for key in known.unique() if key != ""]

        def advise(text: str, keys: list[str] = keys, link_table: str = link.table) -> str:
            near = nearest(text, keys)
            return f"{near!r}?" if near else f"a key of {link_table}.csv"

        column = frame[link.field]
        found.cells(
            frame,
            (column != "") & ~column.isin(keys),
            link.field,
            "points-to-nothing",
            lambda text, link=link: (
                f"{shorten(text)} is not in "  # type: ignore[misc]
                f"{link.table}.csv:{link.target}"
            ),
            advise,
        )
    return found.faults
