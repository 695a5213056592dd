"""What every rendering engine takes and gives back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from evidence.errors import UsageError

FORMATS = ("html", "pdf")
"""The formats of a published document; each is also the ending of its file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Document:
    """A document that has passed every check and that any engine can render.

    Attributes
    ----------
    name : str
        Stem of the files it becomes.
    title, subtitle : str
        Plain text.
    lang : str
        Language tag, for example ``"en-GB"``.
    date : datetime.date
        Printed on it, and the date inside its PDF.
    body : str
        Markdown in the dialect, headings from level 2.
    files : mapping
        From the path by which the body names a figure to the file's content.
    bibliography : tuple of dict
        CSL-JSON of the works that the body cites, sorted by id.
    links : tuple of (words, address)
        Ways from the page to its neighbours, for screens only; addresses are relative.
    edition : str
        Id of the edition that it belongs to, printed beside the date; empty outside of one.
    """

    name: str
    title: str
    subtitle: str
    lang: str
    date: dt.date
    body: str
    files: Mapping[str, bytes]
    bibliography: tuple[Mapping[str, Any], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    edition: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} cannot be the name of a file")

    @property
    def long_date(self) -> str:
        """The date as British readers write it."""
        return f"{self.date.day} {self.date:%B %Y}"


@dataclass(frozen=True)
class Rendered:
    """What became of one document in one format.

    Attributes
    ----------
    document : str
        Name of the document.
    format : str
        One of :data:`FORMATS`.
    path : pathlib.Path or None
        The file; None where it failed.
    log : str
        What the tools said.
    error : str or None
        Why it failed.
    """

    document: str
    format: str
    path: Path | None
    log: str = field(default="", repr=False)
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the file was written."""
        return self.error is None


def check_request(documents: Sequence[Document], formats: Sequence[str]) -> None:
    """Check what an engine is asked for.

    Raises
    ------
    UsageError
        If a format is unknown or two documents have one name.
    """
    for wanted in formats:
        if wanted not in FORMATS:
            raise UsageError(f"no format {wanted!r}; there are {', '.join(FORMATS)}")
    names = [document.name for document in documents]
    if len(set(names)) < len(names):
        raise UsageError("two documents have the same name, so one would replace the other")


class Renderer(Protocol):
    """An engine that renders prepared documents."""

    name: str
    chunk: int
    """How many documents it is best handed at once."""

    @property
    def version(self) -> str:
        """Engine and tools with their versions, for fingerprints."""
        ...

    def render(
        self, documents: Sequence[Document], formats: Sequence[str], out: Path
    ) -> Sequence[Rendered]:
        """Render documents into a folder; the failure of one leaves the others alone.

        Parameters
        ----------
        documents : sequence of Document
            Sequences, so that an engine can start one process for many.
        formats : sequence of str
            Out of :data:`FORMATS`.
        out : pathlib.Path
            Folder; files are called after the documents.

        Returns
        -------
        sequence of Rendered
            One for each document and format, in that order.
        """
        ...
