"""Text that would be code anywhere else: in every text field of the real tables, on every page.

A briefing is made from it on the real path, in HTML and PDF, with the index of the site and CSV.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.facts import clean
from evidence.files import csv_text
from evidence.literature import check, show, sql
from evidence.literature.package import all_tables
from evidence.literature.read import read_untyped
from evidence.project import Project
from evidence.publish.batch import run_batch
from evidence.publish.site import write_index

pytestmark = pytest.mark.xdist_group("hostile")

TEXTS = (
    "=cmd()|' /C calc'!A0",
    "<script>alert(1)</script>",
    "<img src=https://evil.example/x.png onerror=alert(2)>",
    '#eval("1") #import "x": * #pagebreak()',
    "{{< include /etc/passwd >}}",
    "[x](javascript:alert(3)) <a href=javascript:alert(4)>y</a>",
    "\N{RIGHT-TO-LEFT OVERRIDE}desrever\N{POP DIRECTIONAL FORMATTING} \N{RIGHT-TO-LEFT MARK}",
    "\N{GRINNING FACE} \N{MAN}\N{ZERO WIDTH JOINER}\N{ROCKET}",
    '[z]{.fact fact="0123456789"} <b a=b>{#id .class key=value}',
    "$x^2$ $$\\int$$ $",
    "@adab2018 [@nobody] [-@x]",
    "[^1] ^[a note] [^1]: other",
    "\\newcommand{\\x}{y} \\input{/etc/passwd}",
    "ze\N{ZERO WIDTH SPACE}ro wi\N{WORD JOINER}dth\N{ZERO WIDTH NO-BREAK SPACE}",
    "--- title: x ---",
    "| a | b | ... -- -? ~x~",
    "`code` ```{=html}",
    "::: {.callout-note} :::",
    "</td></table></div><iframe src=//evil.example>",
    "\"&quot;'&#x3c;script&#x3e;",
    "*a* _b_ <label> @label **c**",
    "w" * 150,
    "<!-- --> ]]> <?php ?>",
    "%PDF \\u0000 %{x} {x} {0} {name}",
    "# heading - list 1. one > quote",
)
PLACE = "E06000002"
# What code and keys read; hostile words in them are faults, or other words.
NOT_PROSE = {"p", "period", "unit", "newest_period", "reference", "doi"}


def _put(row, column, value, longest):
    """A hostile text before or after a filled cell; the first that the column has room for."""
    if not value:
        return value
    for turn in range(len(TEXTS)):
        text = TEXTS[(row + column + turn) % len(TEXTS)]
        joined = f"{text} {value}" if row % 2 else f"{value} {text}"
        if len(joined) <= longest:
            return joined.strip()
    return value


def poison(project):
    """Put hostile texts into every text field of a project's tables."""
    tables = all_tables(project)
    targets = {(link.table, link.target) for table in tables for link in table.foreign_keys}
    for table in tables:
        frame = read_untyped(table)
        keys = {*table.key, *(link.field for link in table.foreign_keys)}
        names = [
            field.name
            for field in table.fields
            if field.type == "string" and not field.enum and not field.pattern
            and field.name not in keys | NOT_PROSE and not field.name.endswith("url")
            and (table.name, field.name) not in targets
        ]  # fmt: skip
        for column, name in enumerate(names):
            longest = table.field(name).max_length or 1000
            frame[name] = [_put(row, column, v, longest) for row, v in enumerate(frame[name])]
        frame.drop(columns="_row").to_csv(table.path, index=False, lineterminator="\n")


@pytest.fixture(scope="module")
def poisoned(project, tmp_path_factory):
    """A copy of the project with hostile texts, one briefing of it, and its index."""
    root = tmp_path_factory.mktemp("hostile")
    for name in ("literature", "notebooks", "reports"):
        shutil.copytree(project.root / name, root / name,
                        ignore=shutil.ignore_patterns("_site", ".*"))  # fmt: skip
    for name in ("_quarto.yml", "uv.lock"):
        shutil.copy(project.root / name, root / name)
    copy = Project(root)
    poison(copy)
    assert check(copy) == []
    # The kernels find the copy by their working directory, whatever the environment says.
    before = os.environ.pop("EVIDENCE_PROJECT", None)
    try:
        result = run_batch(copy, {PLACE: "hostile"}, workers=1, engine="embedded")
    finally:
        if before is not None:
            os.environ["EVIDENCE_PROJECT"] = before
    assert [outcome.message for outcome in result.with_status("failed")] == []
    write_index(copy)
    return copy


def page(poisoned, ending):
    return poisoned.site / "authorities" / f"{PLACE}.{ending}"


@pytest.fixture(scope="module")
def looked(poisoned, chromium):
    """What the browser saw on the briefing and on the index, each at two widths."""
    program = Path(__file__).with_name("look.py")
    pages = [page(poisoned, "html"), poisoned.site / "index.html"]
    done = subprocess.run([sys.executable, str(program), chromium, *map(str, pages)],
                          capture_output=True, text=True, check=True, timeout=300)  # fmt: skip
    return {(Path(name).stem, width): seen for name, width, _, seen in json.loads(done.stdout)}


@pytest.mark.browser
@pytest.mark.parametrize("name", [PLACE, "index"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_runs_loads_or_leaves_its_page(looked, name, width):
    seen = looked[name, width]
    for what in ("dialogs", "requests", "console", "active", "handlers", "links", "pictures"):
        assert seen[what] == [], what
    # The index has its own script and no other; a briefing has none.
    assert len(seen["scripts"]) == (name == "index")
    assert seen["wide"] == 0


def squeezed(text):
    """Text without spaces, and without the places where a long word may be broken."""
    return re.sub(r"[\s\u200b]+", "", text)


@pytest.mark.browser
def test_the_page_shows_hostile_text_as_it_is(looked):
    shown = squeezed(looked[PLACE, 1280]["text"])
    missing = [text for text in TEXTS if squeezed(clean(text)) not in shown]
    assert missing == []


def test_no_hidden_character_reaches_a_page(poisoned):
    for path in (page(poisoned, "html"), poisoned.site / "index.html"):
        text = path.read_text(encoding="utf-8")
        lost = [f"{ord(c):x}" for c in set(text) - {"\n"} if clean(f"a{c}b") == "ab"]
        assert lost == [], path.name


def test_the_pdf_has_its_tags_whatever_is_in_it(poisoned):
    from structure import PdfStructure

    pdf = PdfStructure(page(poisoned, "pdf"))
    assert pdf.faults() == []
    html = page(poisoned, "html").read_text(encoding="utf-8")
    assert pdf.count("Figure") == html.count("<figure ")
    assert pdf.count("Table") == html.count('<table class="evidence"')
    # Nothing to run, open or fetch, but links to the web.
    import pikepdf

    kinds = {
        str(item.get("/S")) for item in pdf.pdf.objects
        if isinstance(item, pikepdf.Dictionary) and item.get("/S") in ("/JavaScript", "/Launch",
        "/URI", "/GoToR", "/SubmitForm", "/ImportData", "/Rendition")
    }  # fmt: skip
    assert kinds <= {"/URI"}
    addresses = [
        str(item["/URI"]) for item in pdf.pdf.objects
        if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/URI"
    ]  # fmt: skip
    assert all(re.match("https?://", address) for address in addresses)
    assert not any("evil.example" in address for address in addresses)


@pytest.mark.pdf
def test_the_pdf_shows_hostile_text_as_it_is_and_within_the_page(poisoned):
    path = page(poisoned, "pdf")
    boxes = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True,
                           check=True).stdout  # fmt: skip
    pages = [float(width) for width in re.findall(r'<page width="([\d.]+)"', boxes)]
    assert pages and set(pages) == {pages[0]}
    words = re.findall(r'<word xMin="(-?[\d.]+)" yMin="[^"]+" xMax="(-?[\d.]+)"[^>]*>(.*?)</word>',
                       boxes)  # fmt: skip
    outside = [text for left, right, text in words
               if float(left) < 30 or float(right) > pages[0] - 30]  # fmt: skip
    assert len(words) > 5000
    assert outside == []
    plain = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True,
                           check=True).stdout  # fmt: skip
    shown = squeezed(plain)
    # The fonts have no emoji: a white square shows that something stood there.
    texts = [re.sub(r"[\U00010000-\U0010ffff]", "\N{WHITE SQUARE}", clean(text)) for text in TEXTS]
    # A text that is cut by the end of a page is shown elsewhere whole.
    assert [text for text in texts if squeezed(text) not in shown] == []


def test_no_csv_of_the_database_holds_a_formula(poisoned):
    tables = [table for table in all_tables(poisoned) if table.name != "observations"]
    held = 0
    for table in tables:
        frame = sql(f'from "{table.package or "main"}"."{table.name}"', poisoned)
        rows = list(csv.reader(io.StringIO(csv_text(frame), newline=""), strict=True))
        assert len(rows) == len(frame) + 1
        for row in rows[1:]:
            for kind, cell in zip(frame.dtypes, row, strict=True):
                if kind in ("object", "str"):
                    assert not cell.startswith(("=", "+", "-", "@", "\t"))
                    held += cell.startswith("'=")
    assert held > 10


def test_the_terminal_is_shown_printable_text(poisoned):
    shown = show(PLACE, poisoned) + show("adab2018", poisoned)
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_the_facts_are_json_for_everyone(poisoned):
    facts = json.loads(page(poisoned, "facts.json").read_text(encoding="utf-8"))
    assert len(facts) > 50
