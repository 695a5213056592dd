"""The closed dialect of published documents, and its checks.

Both engines render what is allowed here in the same way. Everything else, however harmless it
looks, is an error that names notebook and cell, because one of the engines would lose it, change
it, or load something from elsewhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import yaml

OPTIONS: Mapping[str, type] = {
    "label": str,
    "fig-cap": str,
    "fig-alt": str,
    "tbl-cap": str,
    "echo": bool,
    "include": bool,
    "output": bool,
}
"""Cell options and what their values are."""

CALLOUTS = ("callout-note", "callout-important")
BOXES = (*CALLOUTS, "fold", "key-points", "source-note")

LABEL = re.compile(r"(fig|tbl|sec)-[a-z0-9]+(?:-[a-z0-9]+)*")
MARK = "evidence-cell"

_OPTION_LINE = re.compile(r"#\|(.*)")
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_SHORTCODE = re.compile(r"\{\{[<%]")


class OptionError(ValueError):
    """The options of a cell are wrong."""


def read_options(source: str) -> tuple[dict[str, Any], str]:
    """Options at the head of a code cell, and the code below.

    Raises
    ------
    OptionError
        If they are no YAML mapping, one is unknown or of the wrong type, or one stands below code.
    """
    lines = source.splitlines()
    head: list[str] = []
    while len(head) < len(lines) and (match := _OPTION_LINE.match(lines[len(head)])):
        head.append(match.group(1).removeprefix(" "))
    code = lines[len(head) :]
    late = [line for line in code if line.startswith("#|")]
    if late:
        raise OptionError(f"{late[0]!r} must come before everything else in the cell")
    try:
        raw = yaml.safe_load("\n".join(head)) if head else {}
    except yaml.YAMLError as error:
        raise OptionError(f"its options are no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise OptionError("its options are no YAML mapping: write '#| name: value'")
    for key, value in raw.items():
        if key not in OPTIONS:
            near = difflib.get_close_matches(str(key), OPTIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(OPTIONS)}"
            raise OptionError(f"unknown cell option {key!r}; {hint}")
        if not isinstance(value, OPTIONS[key]):
            kind = "true or false" if OPTIONS[key] is bool else "text"
            raise OptionError(f"the option {key!r} is {kind}, not {value!r}")
    label = raw.get("label")
    if label is not None and not re.fullmatch(r"(fig|tbl)-[a-z0-9]+(?:-[a-z0-9]+)*", label):
        raise OptionError(f"a label is fig- or tbl- and lower-case words, not {label!r}")
    return raw, "\n".join(code).strip("\n")


_ATTRIBUTES: Mapping[str, Collection[str]] = {
    "table": ("class", "data-layout"),
    "colgroup": (),
    "col": ("class",),
    "thead": (),
    "tbody": (),
    "tr": (),
    "th": ("scope", "class"),
    "td": ("class",),
    "span": ("class", "data-fact"),
    "a": ("href",),
    "strong": (),
    "em": (),
}


class _TableReader(HTMLParser):
    """Reads a raw table and notes what :mod:`evidence.tables` would not have written."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.facts: list[str] = []
        self.open: list[str] = []
        self.heads: list[str] = []
        self.column_heads = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = _ATTRIBUTES.get(tag)
        if allowed is None:
            self.faults.append(f"<{tag}> has no place in a table")
            return
        given = {name: value or "" for name, value in attrs}
        for name in sorted(set(given) - set(allowed)):
            self.faults.append(f"<{tag} {name}=…> has no place in a table")
        if tag == "th":
            if given.get("scope") not in ("col", "row"):
                self.faults.append("a <th> without scope")
            self.column_heads += given.get("scope") == "col"
            self.heads.append("")
        if tag == "a" and not _WEB.fullmatch(given.get("href", "")):
            self.faults.append(f"a link to {given.get('href', '')[:60]!r}")
        if "data-fact" in given:
            self.facts.append(given["data-fact"])
        if tag != "col":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")
        if tag == "th" and self.heads and not self.heads[-1].strip():
            self.faults.append("an empty heading cell")

    def handle_data(self, data: str) -> None:
        if "th" in self.open:
            self.heads[-1] += data
        elif data.strip() and "td" not in self.open:
            self.faults.append(f"text outside a cell: {data.strip()[:40]!r}")

    def handle_comment(self, data: str) -> None:
        self.faults.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.faults.append("a processing instruction")

    def unknown_decl(self, data: str) -> None:
        self.faults.append("a declaration")


def check_table(raw: str) -> tuple[list[str], list[str]]:
    """Check a raw HTML table.

    Returns
    -------
    faults : list of str
        What is wrong with it; empty for every table of :mod:`evidence.tables`.
    facts : list of str
        Identities of the facts in it.
    """
    text = raw.strip()
    if not (text.startswith('<table class="evidence"') and text.endswith("</table>")):
        return ["raw HTML that is no table of evidence.tables"], []
    reader = _TableReader()
    reader.feed(text)
    reader.close()
    if reader.open:
        reader.faults.append(f"<{reader.open[-1]}> is not closed")
    if text.count("<table") != 1:
        reader.faults.append("more than one table")
    if not reader.column_heads:
        reader.faults.append("no column headings")
    if "\n\n" in text or "{{" in text:
        reader.faults.append("a blank line or a shortcode")
    return reader.faults, reader.facts


@dataclass
class Findings:
    """What a walk through a document found.

    Attributes
    ----------
    faults : list of (cell number, message)
    labels : dict
        From each label to the cell where it stands.
    facts : list of (identity, cell)
    citations : list of (key, cell)
    has_refs : bool
        Whether the document says where its bibliography goes.
    """

    faults: list[tuple[int, str]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    references: list[tuple[str, int]] = field(default_factory=list)
    facts: list[tuple[str, int]] = field(default_factory=list)
    citations: list[tuple[str, int]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    has_refs: bool = False


Node = dict[str, Any]


class Walker:
    """Walks pandoc's tree of a document with cell marks and checks each element.

    Parameters
    ----------
    files : collection of str
        Paths of the figures that the document has.
    """

    def __init__(self, files: Collection[str]) -> None:
        self.files = files
        self.found = Findings()
        self.cell = 0
        self.marks = 0

    def fault(self, message: str) -> None:
        """Note a fault in the cell at hand."""
        self.found.faults.append((self.cell, message))

    def walk(self, blocks: list[Node]) -> Findings:
        """Check a whole document."""
        self._blocks(blocks)
        for name, cell in self.found.references:
            if name not in self.found.labels:
                near = difflib.get_close_matches(name, self.found.labels, n=1)
                hint = f"; did you mean @{near[0]}?" if near else ""
                self.found.faults.append((cell, f"@{name} refers to nothing{hint}"))
        self.found.faults.sort(key=lambda item: item[0])
        return self.found

    def _blocks(self, blocks: list[Node], inside: str = "") -> None:
        for block in blocks:
            kind = block["t"]
            handler: Callable[[Any, str], None] | None = getattr(self, f"_on_{kind}", None)
            if handler is None:
                self.fault(_UNKNOWN.get(kind, f"{kind} is outside the dialect"))
            else:
                handler(block.get("c"), inside)

    def _on_Para(self, content: list[Node], inside: str) -> None:
        if len(content) == 1 and content[0]["t"] == "Span":
            (_, classes, pairs), _ = content[0]["c"]
            if classes == [MARK]:
                self.cell = int(dict(pairs)["cell"])
                self.marks += 1
                return
        self._inlines(content)

    def _on_Plain(self, content: list[Node], inside: str) -> None:
        self._inlines(content)

    def _on_Header(self, content: list[Any], inside: str) -> None:
        level, (identity, classes, pairs), inlines = content
        if inside in CALLOUTS:
            self.fault("a heading inside a callout; give the callout a title")
        if level == 1:
            self.fault("a heading of level 1: the document's title is the only one")
        if level > 4:
            self.fault(f"a heading of level {level}; 4 is the deepest")
        if set(classes) - {"unnumbered"} or pairs:
            self.fault("a heading has a label sec-… and at most {.unnumbered}, nothing else")
        if identity.startswith("sec-"):
            self._label(identity)
        self._inlines(inlines)

    def _on_BulletList(self, content: list[list[Node]], inside: str) -> None:
        for item in content:
            self._blocks(item, inside)

    def _on_OrderedList(self, content: list[Any], inside: str) -> None:
        self._on_BulletList(content[1], inside)

    def _on_CodeBlock(self, content: list[Any], inside: str) -> None:
        (identity, classes, pairs), _ = content
        if identity or pairs or set(classes) - {"python", "bash", "sql", "text"}:
            self.fault("a code block has a language and nothing else")

    def _on_RawBlock(self, content: list[str], inside: str) -> None:
        kind, text = content
        if kind != "html":
            self.fault(f"raw {kind}; only tables of evidence.tables come raw")
        elif inside != "table":
            start = text.strip().splitlines()[0][:60] if text.strip() else ""
            self.fault(f"bare HTML ({start}); show a Table of evidence.tables")
        else:
            faults, facts = check_table(text)
            for message in faults:
                self.fault(f"in a raw table: {message}")
            self.found.facts += [(fact, self.cell) for fact in facts]

    def _on_Div(self, content: list[Any], inside: str) -> None:
        (identity, classes, pairs), blocks = content
        if identity == "refs" and not classes and not pairs and not blocks:
            self.found.has_refs = True
        elif identity.startswith("tbl-") and not classes and not pairs:
            self._label(identity)
            kinds = [block["t"] for block in blocks]
            if kinds != ["RawBlock", "Para"]:
                self.fault(f"{identity} holds one raw table and its caption, nothing else")
            self._blocks(blocks, "table")
        elif not identity and len(classes) == 1 and classes[0] in BOXES:
            self._box(classes[0], dict(pairs), blocks)
        else:
            name = " ".join([*(f"#{i}" for i in [identity] if i), *(f".{c}" for c in classes)])
            self.fault(f"the box {{{name}}} is outside the dialect; there are {', '.join(BOXES)}")

    def _box(self, name: str, pairs: dict[str, str], blocks: list[Node]) -> None:
        if name in CALLOUTS:
            if not pairs.get("title", "").strip() or set(pairs) != {"title"}:
                self.fault(f'a callout is written ::: {{.{name} title="…"}}')
        elif pairs:
            self.fault(f"the box .{name} takes no attributes")
        if name == "fold" and not (_unmarked(blocks) and _unmarked(blocks)[0]["t"] == "Header"):
            self.fault("a foldable section begins with its heading")
        if not _unmarked(blocks):
            self.fault(f"an empty box .{name}")
        self._blocks(blocks, name)

    def _on_Figure(self, content: list[Any], inside: str) -> None:
        (identity, classes, pairs), (_, caption), blocks = content
        image = blocks[0]["c"][0]
        (_, image_classes, image_pairs), _, (path, title) = image["c"]
        given = dict(image_pairs)
        if path.startswith(("http:", "https:", "//")):
            self.fault(f"a figure from elsewhere ({path[:60]}); documents hold their own")
            return
        if not identity.startswith("fig-"):
            self.fault("a figure without a label fig-…")
        else:
            self._label(identity)
        if classes or pairs or image_classes or title or set(given) - {"fig-alt"}:
            self.fault("a figure has a label, a caption and fig-alt, nothing else")
        if not given.get("fig-alt", "").strip():
            self.fault(f"{identity or 'a figure'} has no alternative text (fig-alt)")
        if path not in self.files:
            self.fault(f"the file of {identity or 'a figure'} is missing ({path[:60]})")
        self.found.images.append(path)
        for block in caption:
            self._inlines(block["c"])

    def _label(self, name: str) -> None:
        if not LABEL.fullmatch(name):
            self.fault(f"the label {name!r} is not made of lower-case words and hyphens")
        if name in self.found.labels:
            self.fault(f"the label {name} is already in cell {self.found.labels[name]}")
        self.found.labels.setdefault(name, self.cell)

    def _inlines(self, inlines: list[Node]) -> None:
        for inline in inlines:
            kind = inline["t"]
            if kind in ("Str", "Space", "SoftBreak", "LineBreak"):
                continue
            handler: Callable[[Any], None] | None = getattr(self, f"_in_{kind}", None)
            if handler is None:
                self.fault(_UNKNOWN.get(kind, f"{kind} is outside the dialect"))
            else:
                handler(inline["c"])

    def _in_Emph(self, content: list[Node]) -> None:
        self._inlines(content)

    _in_Strong = _in_Superscript = _in_Subscript = _in_Emph

    def _in_Quoted(self, content: list[Any]) -> None:
        self._inlines(content[1])

    def _in_Code(self, content: list[Any]) -> None:
        (identity, classes, pairs), _ = content
        if identity or classes or pairs:
            self.fault("code in a line has no attributes")

    def _in_Span(self, content: list[Any]) -> None:
        (identity, classes, pairs), inlines = content
        if classes == ["fact"] and not identity and [key for key, _ in pairs] == ["fact"]:
            self.found.facts.append((pairs[0][1], self.cell))
        elif classes != ["name"] or identity or pairs:
            self.fault("a span that is neither a fact nor a name")
        self._inlines(inlines)

    def _in_Link(self, content: list[Any]) -> None:
        (identity, classes, pairs), inlines, (url, title) = content
        if identity or (set(classes) - {"uri"}) or pairs or title:
            self.fault("a link has no attributes")
        if not _WEB.fullmatch(url):
            self.fault(f"a link to {url[:60]!r}; only http and https are followed")
        self._inlines(inlines)

    def _in_Cite(self, content: list[Any]) -> None:
        citations, _ = content
        for citation in citations:
            key = citation["citationId"]
            if re.match(r"(fig|tbl|sec)-", key):
                if len(citations) > 1 or citation["citationMode"]["t"] != "AuthorInText":
                    self.fault(f"a reference is written @{key}, without brackets")
                self.found.references.append((key, self.cell))
            else:
                self.found.citations.append((key, self.cell))
            self._inlines(citation["citationPrefix"])
            self._inlines(citation["citationSuffix"])


_UNKNOWN = {
    "Table": "a Markdown table; show a Table of evidence.tables, which heads its rows",
    "BlockQuote": "a block quotation; use a callout",
    "HorizontalRule": "a horizontal rule; use a heading",
    "RawInline": "bare HTML or TeX in a line; text from data goes through md()",
    "Math": "mathematics; write it in words or letters (τ², I²), and a dollar sign as \\$",
    "Note": "a footnote; use a source note below a table, or a paragraph",
    "Image": "a picture in a line; a figure stands alone with label and caption",
    "DefinitionList": "a definition list; use a list or a table",
    "LineBlock": "a line block; use a list",
}


def _unmarked(blocks: list[Node]) -> list[Node]:
    """Blocks other than cell marks."""

    def is_mark(block: Node) -> bool:
        return (
            block["t"] == "Para"
            and len(block["c"]) == 1
            and block["c"][0]["t"] == "Span"
            and block["c"][0]["c"][0][1] == [MARK]
        )

    return [block for block in blocks if not is_mark(block)]


def shortcodes(text: str) -> Iterator[str]:
    """Places where Quarto would see a shortcode."""
    for match in _SHORTCODE.finditer(text):
        yield text[match.start() : match.start() + 40]
