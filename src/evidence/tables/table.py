"""A table with a caption, headed rows and columns, and no empty corner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evidence.facts import Fact, Name, Sentence, clean
from evidence.tables.inline import escape, fact_html, to_html

Cell = str | Fact | Name | Sentence | None
"""What a cell may hold: text from data (escaped), a fact, a name, a sentence, or nothing known."""

_LABEL = re.compile(r"tbl-[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    title : str
        Heading; never empty.
    align : {"start", "end"}
        ``end`` for numbers.
    width : int, optional
        Share of the table's width in percent, a multiple of five. Columns without one share what
        is left by their content.
    """

    title: str
    align: Literal["start", "end"] = "start"
    width: int | None = None

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise ValueError("a column needs a title; a screen reader has nothing else to say")
        if self.align not in ("start", "end"):
            raise ValueError(f"a column is aligned to start or end, not {self.align!r}")
        if self.width is not None and self.width not in range(5, 95, 5):
            raise ValueError(f"a width is 5, 10, …, 90 percent, not {self.width!r}")


@dataclass(frozen=True)
class Table:
    """A table that can be published.

    Attributes
    ----------
    columns : sequence of Column or str
        The first column heads the rows.
    rows : sequence of sequences
        Cells: plain text (escaped), :class:`Fact`, :class:`Name`, :class:`Sentence`, or None for
        what is not known.
    caption : Sentence
        Printed above the table.
    label : str
        ``tbl-`` and a name in lower case, by which the text refers to it.
    note : Sentence, optional
        Printed below, for sources and definitions.
    """

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    caption: Sentence
    label: str
    note: Sentence | None = None

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(
                f"the label of a table is tbl- and lower-case words, not {self.label!r}"
            )
        columns = tuple(Column(item) if isinstance(item, str) else item for item in self.columns)
        rows = tuple(tuple(row) for row in self.rows)
        if not columns or not rows:
            raise ValueError(f"{self.label} is empty: say so in a sentence instead")
        if not self.caption.text.strip():
            raise ValueError(f"{self.label} has no caption")
        for number, row in enumerate(rows, start=1):
            if len(row) != len(columns):
                raise ValueError(
                    f"row {number} of {self.label} has {len(row)} cells, not {len(columns)}"
                )
            if row[0] is None or not _cell(row[0]).strip():
                raise ValueError(f"row {number} of {self.label} has no heading in its first cell")
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "rows", rows)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Every fact in caption, cells and note, in the order of reading."""
        found = [*self.caption.facts]
        for row in self.rows:
            for cell in row:
                if isinstance(cell, Fact):
                    found.append(cell)
                elif isinstance(cell, Sentence):
                    found.extend(cell.facts)
        return (*found, *(self.note.facts if self.note else ()))

    def html(self, caption: str = "") -> str:
        """The table as HTML, without anything around it.

        Parameters
        ----------
        caption : str
            HTML of the caption; without it the table has none, because a document puts it in with
            its number.
        """
        columns: tuple[Column, ...] = self.columns  # type: ignore[assignment]
        layout = " ".join(column.align + (f":{column.width}" if column.width else "")
                          for column in columns)  # fmt: skip
        lines = [f'<table class="evidence" data-layout="{layout}">']
        if caption:
            lines.append(f"<caption>{caption}</caption>")
        if any(column.width for column in columns):
            cols = "".join(
                f'<col class="w{column.width}">' if column.width else "<col>" for column in columns
            )
            lines.append(f"<colgroup>{cols}</colgroup>")
        heads = "".join(
            f'<th scope="col"{_align(column)}>{_cell(column.title)}</th>' for column in columns
        )
        lines += ["<thead>", f"<tr>{heads}</tr>", "</thead>", "<tbody>"]
        for row in self.rows:
            cells = [f'<th scope="row"{_align(columns[0])}>{_cell(row[0])}</th>']
            cells += [
                f"<td{_align(column)}>{_cell(cell)}</td>"
                for column, cell in zip(columns[1:], row[1:], strict=True)
            ]
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines += ["</tbody>", "</table>"]
        return "\n".join(lines)

    @property
    def markdown(self) -> str:
        """The table in the dialect of the published documents."""
        parts = [
            f"::: {{#{self.label}}}",
            f"```{{=html}}\n{self.html()}\n```",
            self.caption.text,
            ":::",
        ]
        if self.note:
            parts += ["::: {.source-note}", self.note.text, ":::"]
        return "\n\n".join(parts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown = self.html(to_html(self.caption.text, cell=False))
        if self.note:
            shown += f"\n<p><small>{to_html(self.note.text, cell=False)}</small></p>"
        return {
            "text/plain": f"{self.label}: {self.caption.plain} ({len(self.rows)} rows)",
            "text/html": shown,
            "text/markdown": self.markdown,
        }


def _align(column: Column) -> str:
    return ' class="end"' if column.align == "end" else ""


def _cell(cell: Cell) -> str:
    if cell is None:
        return '<span class="unknown">not known</span>'
    if isinstance(cell, Fact):
        return fact_html(_text(cell.text), cell.id)
    if isinstance(cell, Name):
        return _text(cell.text)
    if isinstance(cell, Sentence):
        return to_html(cell.text)
    if isinstance(cell, str):
        return _text(cell)
    raise TypeError(
        f"a cell holds text, a Fact, a Name, a Sentence or None, not {type(cell).__name__}: "
        "a number is a Fact, so that it can be traced"
    )


def _text(text: str) -> str:
    # A back-tick fence or a blank line inside the raw block would end it early.
    return escape(clean(text).strip())
