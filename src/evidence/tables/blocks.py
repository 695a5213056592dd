"""Several things shown by one notebook cell, in the dialect of the published documents."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from evidence.facts import Sentence, md
from evidence.tables.inline import to_html

_SECTION = re.compile(r"sec-[a-z0-9]+(?:-[a-z0-9]+)*")


@runtime_checkable
class Publishable(Protocol):
    """Anything that shows itself as Markdown and as HTML, such as a figure, a table or a block."""

    @property
    def markdown(self) -> str:
        """Markdown in the dialect of the published documents."""
        ...

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]: ...


Item = Sentence | str | Publishable
"""A sentence is a paragraph; a string comes from data and is one too, escaped."""


class _Shown:
    """Shows Markdown for publishing and HTML in JupyterLab."""

    @property
    def markdown(self) -> str:
        raise NotImplementedError

    @property
    def preview(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": f"<{type(self).__name__}>",
            "text/html": self.preview,
            "text/markdown": self.markdown,
        }


def _markdown(item: Item) -> str:
    if isinstance(item, Sentence):
        return item.text
    return md(item) if isinstance(item, str) else item.markdown


def _preview(item: Item) -> str:
    if isinstance(item, Sentence):
        return f"<p>{to_html(item.text, cell=False)}</p>"
    if isinstance(item, str):
        return f"<p>{html.escape(item)}</p>"
    return str(item._repr_mimebundle_()["text/html"])


def _inner(item: Sentence | str) -> str:
    return to_html(item.text, cell=False) if isinstance(item, Sentence) else html.escape(item)


@dataclass(frozen=True, init=False)
class Block(_Shown):
    """Paragraphs, headings, lists, figures and tables, one below the other.

    Parameters
    ----------
    *items : Sentence, str, or anything publishable
        ``None`` and empty sentences are left out, so that a caller need not ask.
    """

    items: tuple[Item, ...]

    def __init__(self, *items: Item | None) -> None:
        kept = tuple(
            item for item in items
            if item is not None and not (isinstance(item, str | Sentence) and not str(item).strip())
        )  # fmt: skip
        for item in kept:
            if not isinstance(item, str | Sentence | Publishable):
                raise TypeError(f"a {type(item).__name__} cannot be published")
        object.__setattr__(self, "items", kept)

    @property
    def markdown(self) -> str:
        """All items as Markdown, separated by blank lines."""
        return "\n\n".join(_markdown(item) for item in self.items)

    @property
    def preview(self) -> str:
        """All items as HTML for JupyterLab."""
        return "\n".join(_preview(item) for item in self.items)


@dataclass(frozen=True)
class Heading(_Shown):
    """A heading inside a document.

    Attributes
    ----------
    text : Sentence or str
        The words; a string is escaped.
    level : int
        2 for a section, 3 and 4 below; 1 is the document's title.
    label : str, optional
        ``sec-`` and a name, by which the text refers to it.
    """

    text: Sentence | str
    level: int = 2
    label: str | None = None

    def __post_init__(self) -> None:
        if self.level not in (2, 3, 4):
            raise ValueError(f"a heading inside a document has level 2, 3 or 4, not {self.level}")
        if self.label is not None and not _SECTION.fullmatch(self.label):
            raise ValueError(
                f"the label of a heading is sec- and lower-case words, not {self.label!r}"
            )

    @property
    def markdown(self) -> str:
        """The heading as Markdown."""
        label = f" {{#{self.label}}}" if self.label else ""
        return f"{'#' * self.level} {_markdown(self.text)}{label}"

    @property
    def preview(self) -> str:
        """The heading as HTML."""
        return f"<h{self.level}>{_inner(self.text)}</h{self.level}>"


@dataclass(frozen=True)
class Bullets(_Shown):
    """A list.

    Attributes
    ----------
    items : sequence of Sentence or str
        One line each.
    ordered : bool
        Whether the order matters: then they are numbered.
    """

    items: Sequence[Sentence | str]
    ordered: bool = False

    @property
    def markdown(self) -> str:
        """The list as Markdown."""
        marks = (f"{i}." if self.ordered else "-" for i in range(1, len(self.items) + 1))
        return "\n".join(
            f"{mark} {_markdown(item)}" for mark, item in zip(marks, self.items, strict=True)
        )

    @property
    def preview(self) -> str:
        """The list as HTML."""
        tag = "ol" if self.ordered else "ul"
        return f"<{tag}>" + "".join(f"<li>{_inner(i)}</li>" for i in self.items) + f"</{tag}>"


@dataclass(frozen=True)
class Callout(_Shown):
    """A box beside the run of the text.

    Attributes
    ----------
    body : sequence
        What stands in it.
    title : str
        Its first line, escaped.
    kind : {"note", "important"}
        ``important`` for what a reader must not miss.
    """

    body: Sequence[Item]
    title: str
    kind: Literal["note", "important"] = "note"

    def __post_init__(self) -> None:
        if self.kind not in ("note", "important"):
            raise ValueError(f"a callout is a note or important, not {self.kind!r}")
        if not self.title.strip():
            raise ValueError("a callout needs a title")

    @property
    def markdown(self) -> str:
        """The callout as Markdown."""
        return (
            f'::: {{.callout-{self.kind} title="{md(self.title)}"}}\n\n'
            f"{Block(*self.body).markdown}\n\n:::"
        )

    @property
    def preview(self) -> str:
        """The callout as HTML."""
        return f"<blockquote><p><b>{html.escape(self.title)}</b></p>{Block(*self.body).preview}</blockquote>"  # noqa: E501


@dataclass(frozen=True)
class Fold(_Shown):
    """A section that a reader opens; on paper it stands open.

    Attributes
    ----------
    heading : Heading
        What stands on it while closed.
    body : sequence
        What it holds.
    """

    heading: Heading
    body: Sequence[Item]

    @property
    def markdown(self) -> str:
        """The section as Markdown."""
        inside = Block(self.heading, *self.body).markdown
        return f"::: {{.fold}}\n\n{inside}\n\n:::"

    @property
    def preview(self) -> str:
        """The section as HTML."""
        return (
            f"<details><summary>{_inner(self.heading.text)}</summary>"
            f"{Block(*self.body).preview}</details>"
        )


@dataclass(frozen=True)
class KeyPoints(_Shown):
    """The few sentences that a busy reader takes away, set apart from the text.

    Attributes
    ----------
    items : sequence of Sentence
        One point each.
    """

    items: Sequence[Sentence]

    @property
    def markdown(self) -> str:
        """The points as Markdown."""
        return f"::: {{.key-points}}\n\n{Bullets(self.items).markdown}\n\n:::"

    @property
    def preview(self) -> str:
        """The points as HTML."""
        return Bullets(self.items).preview
