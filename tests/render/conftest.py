"""A document that uses every element of the dialect, and ways to look at pages and PDF files."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evidence.facts import Fact, Name, Raw, link, sentence
from evidence.plots import style
from evidence.plots.figure import Figure
from evidence.project import Project
from evidence.publish.render import Document, prepare, renderer
from evidence.tables import Block, Bullets, Callout, Column, Fold, Heading, KeyPoints, Table
from evidence.tables.collect import facts_of

WORKS = (
    {
        "id": "axford2004", "type": "article-journal", "title": "Working with small evidence",
        "author": [{"family": "Axford", "given": "N."}, {"family": "Little", "given": "M."}],
        "container-title": "Children & Society", "volume": "20", "issue": "4",
        "page": "299-312", "issued": {"date-parts": [[2006]]}, "URL": "https://example.org/a?b=1&c=2",
    },
    {
        "id": "never-cited", "type": "book", "title": "Left out",
        "issued": {"date-parts": [[2001]]},
    },
)  # fmt: skip

HOSTILE = (
    '<script>alert(1)</script> <img src="https://evil.example/x.png"> [x](javascript:alert(1)) '
    "#eval(\"1\") $x$ @fig-lines `code` {{< include /etc/passwd >}} *a* _b_ \\input{x} ::: # no "
    "![](https://evil.example/y.png) --- '\"&amp; ]{.fact} \u202e \u0007"
)  # fmt: skip
HOSTILE_SHOWN = " ".join(HOSTILE.replace("\u202e", "").replace("\u0007", "").split())

LONG = (
    "Group sessions for parents of children who show early difficulties, led by two trained "
    "practitioners, against usual service with a waiting list"
)


def fact(value: float, text: str, unit: str = "percent") -> Fact:
    return Fact(value, text, unit, "observation", "tests.render.sample", ("observations:X/y/2024",))


def drawing(label: str, height: float = 80.0) -> Figure:
    """A real drawing, as wide as the text."""
    canvas = style.figure(style.TEXT_WIDTH, height)
    axes = canvas.add_subplot()
    axes.plot([2021, 2022, 2023, 2024], [8.1, 7.4, 7.9, 6.4], color=style.colour("place"))
    axes.set_ylabel("Children in need, per cent")
    return Figure.from_matplotlib(
        canvas,
        alt='Falls from 8.1 to 6.4 per cent, with a rise in 2023; "quoted" <alt> text.',
        caption=sentence("A line falls to {now}.", now=fact(6.4, "6.4%")),
        label=label,
    )


def wide_table() -> Table:
    columns = [
        Column("Programme and what it did", width=25), Column("Where", width=15),
        Column("Compared with", width=20), Column("Children", "end", width=10),
        Column("What was measured", width=20), Column("Share helped", "end", width=10),
    ]  # fmt: skip
    rows = [
        (LONG, "Birmingham and the Black Country", "Usual service with a waiting list",
         fact(161 + i, f"1,{161 + i}", "children"),
         sentence("Behaviour as reported by parents {when}.", when=Name("after 12 months")),
         fact(3.5, "3.5%") if i % 3 else None)
        for i in range(9)
    ]  # fmt: skip
    caption = sentence("Six columns of long text, which must be readable.")
    note = sentence("Made up for a test; see {work}.", work=Raw("@axford2004"))
    return Table(columns, rows, caption, "tbl-wide", note)


def long_table() -> Table:
    rows = [
        (f"Place number {name}", fact(i * 1.5, f"{i * 1.5:.1f}"), fact(-i, f"−{i}"))
        for i, name in enumerate("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 1)
    ]
    columns = ["Place", Column("Rate", "end"), Column("Change", "end")]
    return Table(columns, rows, sentence("More rows than a page holds."), "tbl-long")


def shown(item: Any, source: str = "shown", **options: Any) -> nbformat.NotebookNode:
    """A code cell that has run and shows an object."""
    head = "".join(f"#| {key}: {json.dumps(value)}\n" for key, value in options.items())
    data = item._repr_mimebundle_() if hasattr(item, "_repr_mimebundle_") else dict(item)
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    return nbformat.v4.new_code_cell(head + source, execution_count=1, outputs=[output])


def words(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def notebook(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


def sample_parts() -> tuple[list[Any], nbformat.NotebookNode]:
    """Objects shown, and the notebook that shows them."""
    share = fact(6.4, "6.4%")
    points = KeyPoints(
        [
            sentence("Of every hundred children, {share} are in need.", share=share),
            sentence("{n} trials speak to that need, and none was British.", n=fact(4, "Four", "")),
            sentence("Money goes where it went five years ago: {p} on late help.",
                     p=fact(71, "71%")),
        ]
    )  # fmt: skip
    text = Block(
        sentence(
            "A share of {share} lies below that of England in {year} ({link}), as @fig-lines "
            "and @tbl-wide show; see also @sec-more and {cited}.",
            share=share, year=Name("2023/24"), link=Raw(link("source", "https://example.org/?a=1&b=(2)")),
            cited=Raw("[@axford2004, p. 300]"),
        ),
        Bullets([sentence("First point."), HOSTILE]),
        Bullets(["Step one", "Step two"], ordered=True),
        Callout([sentence("Take {share} with care.", share=share), Bullets(["One", "Another"])],
                title='A "note" on <care>'),
        Callout([HOSTILE], title="Important", kind="important"),
    )  # fmt: skip
    folds = Block(
        Fold(Heading("Folded away", 3, "sec-folded"),
             [sentence("Inside is {share}.", share=share), drawing("fig-inside", 60)]),
        Fold(Heading("Folded too", 3), [Callout(["A callout in a fold."], title="Deep")]),
    )  # fmt: skip
    objects = [points, text, drawing("fig-lines"), wide_table(), long_table(), folds]
    cells = [
        nbformat.v4.new_raw_cell("---\ntitle: Ignored\nlang: en-GB\n---"),
        nbformat.v4.new_code_cell("x = 1", execution_count=1, metadata={"tags": ["parameters"]}),
        words("## What to know"),
        shown(points),
        words("## Text and boxes {#sec-text}\n\n*Emphasis*, **weight**, x^2^, H~2~O, `code`, "
              'a "quotation" and an apostrophe’s curl.'),
        shown(text),
        words("### Figures"),
        shown(objects[2]),
        words("### Tables\n\n#### Wide"),
        shown(objects[3]),
        words("#### Long"),
        shown(objects[4]),
        words("## More {#sec-more}"),
        shown(folds),
        shown({"text/markdown": "A line from code."}, "total = 1 + 1", echo=True),
        words("## Sources {.unnumbered}\n\n::: {#refs}\n:::"),
    ]  # fmt: skip
    return objects, notebook(*cells)


@pytest.fixture(scope="session")
def sample() -> Document:
    objects, content = sample_parts()
    return prepare(
        content,
        title="A sample of everything",
        subtitle="Every element of the dialect in one document",
        lang="en-GB",
        date=dt.date(2026, 11, 24),
        bibliography=WORKS,
        facts=facts_of(*objects),
        name="sample",
        links=[("All authorities", "../index.html")],
        edition="2026-autumn",
    )


@pytest.fixture(scope="session")
def sample_facts() -> tuple[Fact, ...]:
    """Facts of the sample, in the order of reading."""
    return facts_of(*sample_parts()[0])


@pytest.fixture(scope="session")
def rendered(
    sample: Document, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The sample in both formats."""
    out = tmp_path_factory.mktemp("rendered")
    results = renderer("embedded", project).render([sample], ["html", "pdf"], out)
    assert [r.error for r in results] == [None, None]
    return {r.format: r.path for r in results if r.path}


_BLOCKS = frozenset(
    ["p", "td", "th", "li", "h1", "h2", "h3", "h4", "figcaption", "caption", "div", "pre"]
)


class _Reader(HTMLParser):
    """Words of a page's ``main`` without the list of contents, and its facts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.depth = 0
        self.skip = ""
        self.words: list[str] = []
        self.facts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "main":
            self.depth = 1
        if tag == "details" and "contents" in (given.get("class") or ""):
            self.skip = tag
        if given.get("data-fact"):
            self.facts.append(str(given["data-fact"]))
        if tag in _BLOCKS:
            self.words.append("\x1f")

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self.depth = 0
        if tag == self.skip:
            self.skip = ""
        if tag in _BLOCKS:
            self.words.append("\x1f")

    def handle_data(self, data: str) -> None:
        if self.depth and not self.skip:
            self.words.append(data)


@dataclass
class Page:
    """What a page says."""

    pieces: list[str]
    facts: list[str]

    @property
    def text(self) -> str:
        """All of it in the order of reading."""
        return " ".join(self.pieces)


def read_page(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    pieces = [" ".join(piece.split()) for piece in "".join(reader.words).split("\x1f")]
    return Page([piece for piece in pieces if piece], reader.facts)


@pytest.fixture(scope="session")
def page_of() -> Callable[[Path], Page]:
    """Read what a page says."""
    return read_page


@pytest.fixture(scope="session")
def notebook_of() -> Callable[..., nbformat.NotebookNode]:
    """An executed notebook of words and of objects shown."""
    return lambda *parts: notebook(
        *(words(part) if isinstance(part, str) else part if isinstance(part, dict) else shown(part)
          for part in parts)
    )  # fmt: skip


@dataclass
class Seen:
    """What a browser makes of a page at one width and in one colour scheme."""

    violations: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    overflow: int = 0


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def look(browser: Any) -> Callable[..., Seen]:
    """Open a page at a width and in a scheme, and ask axe-core about it."""
    import axe_core_python

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def open_page(path: Path, width: int = 1280, scheme: str = "light") -> Seen:
        seen = Seen()
        # The page's own policy keeps foreign scripts out, so the checker has to go round it; that
        # the policy holds is tested apart.
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda message: seen.messages.append(message.text))
        page.on("pageerror", lambda error: seen.messages.append(str(error)))
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        page.evaluate("document.fonts.ready")
        seen.overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        page.evaluate(axe)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, "
            "resultTypes: ['violations']})", tags
        )  # fmt: skip
        seen.violations = [
            f"{v['id']}: {v['help']} at {node['target']} ({node['failureSummary'][:200]})"
            for v in result["violations"]
            for node in v["nodes"]
        ]
        context.close()
        # The page itself, and what it carries within itself, are no requests to elsewhere.
        seen.requests = [
            url for url in seen.requests if url != path.as_uri() and not url.startswith("data:")
        ]
        return seen

    return open_page


@dataclass
class Pdf:
    """Structure of a PDF file."""

    faults: list[str]
    headings: list[int]
    figures: list[str]
    tables: int
    title: str
    pages: int


@pytest.fixture(scope="session")
def inspect_pdf() -> Callable[[Path], Pdf]:
    return read_pdf


def read_pdf(path: Path) -> Pdf:
    """Read a PDF file's structure, and what of it a screen reader would miss."""
    import pikepdf

    faults: list[str] = []
    headings: list[int] = []
    figures: list[str] = []
    tables = 0
    with pikepdf.open(path) as pdf:
        root = pdf.Root
        if str(root.get("/Lang", "")) != "en-GB":
            faults.append("language is not en-GB")
        if not bool(root.get("/MarkInfo", {}).get("/Marked", False)):
            faults.append("not marked as tagged")
        if not bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False)):
            faults.append("does not show its title")
        with pdf.open_metadata() as meta:
            title = str(meta.get("dc:title", ""))
            if str(meta.get("pdfuaid:part", "")) != "1":
                faults.append("does not say that it is PDF/UA-1")

        def children(node: Any) -> Sequence[Any]:
            kids = node.get("/K")
            if kids is None:
                return []
            return list(kids) if isinstance(kids, pikepdf.Array) else [kids]

        def kinds(node: Any) -> list[str]:
            found = []
            for kid in children(node):
                if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                    found += [str(kid.S), *kinds(kid)]
            return found

        def walk(node: Any) -> None:
            nonlocal tables
            for kid in children(node):
                if not isinstance(kid, pikepdf.Dictionary) or "/S" not in kid:
                    continue
                kind = str(kid.S)
                if match := re.fullmatch(r"/H([1-6])", kind):
                    headings.append(int(match.group(1)))
                if kind == "/Figure":
                    figures.append(str(kid.get("/Alt", "")))
                if kind == "/Table":
                    tables += 1
                    if "/TH" not in kinds(kid):
                        faults.append("a table without heading cells")
                walk(kid)

        if "/StructTreeRoot" in root:
            walk(root.StructTreeRoot)
        else:
            faults.append("no structure")
        faults += [f"a figure without words: {alt!r}" for alt in figures if not alt.strip()]
        before = 0
        for level in headings:
            if level > before + 1:
                faults.append(f"heading level {level} after {before}")
            before = level
        for number, page in enumerate(pdf.pages, 1):
            for name, font in page.get("/Resources", {}).get("/Font", {}).items():
                inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
                descriptor = inner.get("/FontDescriptor", {})
                if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
                    faults.append(f"font {name} of page {number} is not embedded")
        count = len(pdf.pages)
    return Pdf(faults, headings, figures, tables, title, count)


@pytest.fixture
def sample_notebook() -> nbformat.NotebookNode:
    """The notebook of the sample, to be changed at will."""
    return sample_parts()[1]
