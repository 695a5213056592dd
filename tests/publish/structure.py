"""What the tags of a PDF say, and the words of documents in either format."""

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf


class PdfStructure:
    """The structure tree of a PDF and what it needs to be accessible."""

    def __init__(self, path: Path) -> None:
        self.pdf = pikepdf.open(path)
        self.root = self.pdf.Root
        self.tags = [str(e["/S"]).lstrip("/") for e in self.elements()]

    def elements(self) -> Iterator[Any]:
        """Structure elements in the order of reading."""

        def walk(node: Any) -> Iterator[Any]:
            if isinstance(node, pikepdf.Array):
                for child in node:
                    yield from walk(child)
            elif isinstance(node, pikepdf.Dictionary):
                if "/S" in node:
                    yield node
                if "/K" in node:
                    yield from walk(node["/K"])

        return walk(self.root["/StructTreeRoot"]["/K"])

    def count(self, tag: str) -> int:
        return self.tags.count(tag)

    @property
    def title(self) -> str:
        with self.pdf.open_metadata() as metadata:
            return str(metadata.get("dc:title", ""))

    @property
    def alts(self) -> list[str]:
        return [str(e.get("/Alt", "")) for e in self.elements() if e["/S"] == "/Figure"]

    def faults(self) -> list[str]:
        """Everything that PDF/UA asks for and that can be seen without a validator."""
        found = []
        if not str(self.root.get("/Lang", "")):
            found.append("no language")
        if not self.title:
            found.append("no title")
        if not self.root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
            found.append("the title is not displayed")
        if not self.root.get("/MarkInfo", {}).get("/Marked", False):
            found.append("not marked as tagged")
        found += [f"a figure without Alt ({i})" for i, alt in enumerate(self.alts) if not alt]
        for element in self.elements():
            if element["/S"] == "/Table":
                inside = self._below(element)
                if "TH" not in inside:
                    found.append("a table without header cells")
        levels = [int(tag[1]) for tag in self.tags if re.fullmatch(r"H[1-6]", tag)]
        if not levels or levels[0] != 1:
            found.append("the first heading is not of level 1")
        found += [f"a heading of level {b} after one of level {a}"
                  for a, b in pairwise(levels) if b > a + 1]  # fmt: skip
        found += [f"the font {name} is not embedded" for name in self._fonts_outside()]
        return found

    def _below(self, element: Any) -> set[str]:
        found: set[str] = set()
        stack = [element["/K"]]
        while stack:
            node = stack.pop()
            if isinstance(node, pikepdf.Array):
                stack.extend(node)
            elif isinstance(node, pikepdf.Dictionary):
                if "/S" in node:
                    found.add(str(node["/S"]).lstrip("/"))
                if "/K" in node:
                    stack.append(node["/K"])
        return found

    def _fonts_outside(self) -> list[str]:
        return [
            str(entry.get("/FontName"))
            for entry in self.pdf.objects
            if isinstance(entry, pikepdf.Dictionary)
            and entry.get("/Type") == "/FontDescriptor"
            and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(entry.keys())
        ]


_BLOCKS = frozenset(
    [
        "p",
        "li",
        "th",
        "td",
        "h1",
        "h2",
        "h3",
        "h4",
        "figcaption",
        "caption",
        "summary",
        "div",
        "section",
        "ul",
        "ol",
        "tr",
        "table",
    ]
)


class _Text(HTMLParser):
    """Pieces of text in the main part of a page, one for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inside = False
        self.contents = False
        self.pieces = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "main":
            self.inside = True
        elif tag == "details" and ("class", "contents") in attrs:
            self.contents = True
        if tag in _BLOCKS:
            self.pieces.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.inside = False
        elif tag == "details":
            self.contents = False
        if tag in _BLOCKS:
            self.pieces.append("")

    def handle_data(self, data: str) -> None:
        if self.inside and not self.contents:
            self.pieces[-1] += data


def letters(text: str) -> str:
    """Text without spaces: where lines break does not count."""
    return re.sub(r"[\s\u00ad]+", "", text)


def pieces_of_html(path: Path) -> list[str]:
    """Text of each block of a page's main part, in order, without spaces."""
    reader = _Text()
    reader.feed(path.read_text(encoding="utf-8"))
    return [found for piece in reader.pieces if (found := letters(piece))]


def letters_of_pdf(path: Path) -> str:
    """Text between the heads and the feet of a PDF's pages, without spaces."""
    crop = ["-x", "0", "-y", "68", "-W", "595", "-H", "706"]
    done = subprocess.run(
        ["pdftotext", "-raw", *crop, str(path), "-"], capture_output=True, check=True
    )
    return letters(done.stdout.decode())


def differences(page: Path, pdf: Path) -> list[str]:
    """Blocks of a page that its PDF does not have, and how much the PDF says beyond them."""
    pieces, printed = pieces_of_html(page), letters_of_pdf(pdf)
    found = [piece for piece in pieces if piece not in printed]
    # The PDF has a list of contents with page numbers besides, and repeats headings of tables.
    spare = len(printed) - sum(map(len, pieces))
    if not 0 <= spare < 1500:
        found.append(f"the PDF has {spare} letters beyond the page's")
    return found
