"""PDF files as readers and screen readers get them."""

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pikepdf
import pytest

from evidence.facts import sentence
from evidence.publish.render import Document, prepare, renderer
from evidence.tables import Column, Table

pytestmark = pytest.mark.pdf


def text_of(path: Path, *options: str) -> str:
    return subprocess.run(
        ["pdftotext", *options, str(path), "-"], capture_output=True, text=True, check=True
    ).stdout


def test_structure_of_the_sample(rendered, inspect_pdf, sample) -> None:
    pdf = inspect_pdf(rendered["pdf"])
    assert pdf.faults == []
    assert pdf.title == sample.title
    assert len(pdf.figures) == len(sample.files) == 2
    assert pdf.tables == 2
    assert pdf.headings[0] == 1 and {1, 2, 3} == set(pdf.headings)


def test_alternative_text_arrives_whole(rendered, inspect_pdf) -> None:
    assert set(inspect_pdf(rendered["pdf"]).figures) == {
        'Falls from 8.1 to 6.4 per cent, with a rise in 2023; "quoted" <alt> text.'
    }


def test_a_damaged_structure_is_noticed(rendered, inspect_pdf, tmp_path) -> None:
    """The checks that other tests rely on see what they are for."""
    broken = tmp_path / "broken.pdf"
    with pikepdf.open(rendered["pdf"]) as pdf:
        del pdf.Root["/Lang"]
        del pdf.Root["/StructTreeRoot"]
        pdf.save(broken)
    assert {"language is not en-GB", "no structure"} <= set(inspect_pdf(broken).faults)


def test_row_and_column_heads_are_heading_cells(rendered) -> None:
    with pikepdf.open(rendered["pdf"]) as pdf:
        heads = [
            str(item.A[0].get("/Scope") if isinstance(item.A, pikepdf.Array) else item.A.Scope)
            for item in pdf.objects
            if isinstance(item, pikepdf.Dictionary) and item.get("/S") == "/TH" and "/A" in item
        ]
    # Six and three columns with headings, which are said again where a table goes on.
    assert heads.count("/Column") >= 9


def test_same_bytes_twice_and_date_of_the_edition(rendered, sample, project, tmp_path) -> None:
    again = renderer("embedded", project).render([sample], ["html", "pdf"], tmp_path)
    for result in again:
        assert result.path.read_bytes() == rendered[result.format].read_bytes()
    with pikepdf.open(rendered["pdf"]) as pdf:
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261124")


def squeeze(text: str) -> str:
    """Text without spaces and hyphens: pdftotext joins words that a line end parts at a hyphen."""
    return re.sub(r"[\s-]+", "", text)


def test_the_words_of_the_page_are_in_the_pdf(rendered, page_of) -> None:
    """Every sentence and cell of the page is in the PDF, and hostile text reads as typed."""
    printed = squeeze(text_of(rendered["pdf"], "-raw"))
    for piece in page_of(rendered["html"]).pieces:
        # A long cell is broken over the lines of its neighbours, so its words are looked for.
        assert squeeze(piece) in printed or all(squeeze(w) in printed for w in piece.split()), piece


def test_references_and_citations_are_resolved(rendered) -> None:
    printed = " ".join(text_of(rendered["pdf"]).split())
    for words in ("Figure 1", "Table 1", "Section 3", "(Axford and Little 2006, 300)",
                  "Axford N and Little M (2006). Working with small evidence"):  # fmt: skip
        assert words in printed
    # What comes from data, in a list and in a callout, is no reference.
    assert squeeze(printed).count("@figlines`code`") == printed.count("@fig") == 2
    assert "??" not in printed and "Left out" not in printed


def test_pages_have_running_heads_and_numbers(rendered, inspect_pdf) -> None:
    count = inspect_pdf(rendered["pdf"]).pages
    for number in range(1, count + 1):
        words = text_of(rendered["pdf"], "-f", str(number), "-l", str(number))
        assert f"Page {number} of {count}" in words
        head = words.splitlines()[0] if number > 1 else ""
        assert number == 1 or "A sample of everything" in head
        assert number == 1 or "Edition 2026-autumn, 24 November 2026" in words


def test_the_first_page_says_what_this_is_and_where_what_stands(rendered) -> None:
    first = text_of(rendered["pdf"], "-f", "1", "-l", "1", "-layout")
    begin = [line.strip() for line in first.splitlines() if line.strip()][:3]
    assert re.fullmatch(
        "Prevention evidence workbench +Edition 2026-autumn, 24 November 2026", begin[0]
    )
    assert begin[1:] == ["A sample of everything", "Every element of the dialect in one document"]
    # The contents stand in two columns between what matters and the rest.
    assert first.index("What to know") < first.index("Contents") < first.index("Text and boxes")
    assert re.search("1 +What to know[ .\u2060]+1 +3 +More[ .\u2060]+[2-9]", first)


def test_a_question_stays_with_its_heading_and_its_answer(project, tmp_path, notebook_of) -> None:
    for lines in range(22, 46, 2):
        filler = "\n\n".join(["A line of text."] * lines)
        text = f"## First\n\n{filler}\n\n### Heading\n\n*Does it help?*\n\nAn answer."
        made = prepare(notebook_of(text), title="T", lang="en-GB", date="2026-11-24", name="d")
        [result] = renderer("embedded", project).render([made], ["pdf"], tmp_path)
        pages = text_of(result.path).split("\f")
        [page] = [p for p in pages if "Does it help?" in p]
        assert "Heading" in page and "An answer." in page


@pytest.mark.browser
def test_a_printed_page_is_a_document(rendered, browser, tmp_path: Path) -> None:
    """Printed from the browser it has page numbers, what is folded away, and nothing to click."""
    page = browser.new_page()
    page.goto(rendered["html"].as_uri())
    page.pdf(path=str(tmp_path / "printed.pdf"), prefer_css_page_size=True)
    page.close()
    with pikepdf.open(tmp_path / "printed.pdf") as printed:
        count = len(printed.pages)
        wide, high = (float(side) * 25.4 / 72 for side in printed.pages[0].mediabox[2:])
    assert (round(wide), round(high)) == (210, 297)
    for number in range(1, count + 1):
        words = text_of(tmp_path / "printed.pdf", "-f", str(number), "-l", str(number))
        assert f"Page {number} of {count}" in words and "Prevention evidence workbench" in words
    whole = text_of(tmp_path / "printed.pdf")
    assert "A callout in a fold." in whole and "Edition 2026-autumn" in whole
    assert "All authorities" not in whole and "Contents" not in whole


def test_a_long_table_repeats_its_headings(rendered, inspect_pdf) -> None:
    pages = [
        text_of(rendered["pdf"], "-f", str(n), "-l", str(n), "-layout")
        for n in range(1, inspect_pdf(rendered["pdf"]).pages + 1)
    ]
    with_rows = [page for page in pages if "Place number" in page]
    assert len(with_rows) >= 2
    assert all(re.search(r"Place\s+Rate\s+Change", page) for page in with_rows)


def document(body: str, name: str = "d", **files: bytes) -> Document:
    return Document(name, "Title", "", "en-GB", dt.date(2026, 11, 24), body, files)


@pytest.mark.parametrize("lines", range(24, 54, 3))
def test_no_heading_or_caption_is_left_alone(lines, project, tmp_path, notebook_of) -> None:
    """Wherever a long table comes to stand, its heading, caption and first rows stay together."""
    rows = [(f"Row {i}x", "Words of the row") for i in range(60)]
    table = Table(["Place", Column("What")], rows, sentence("A caption."), "tbl-rows")
    filler = "\n\n".join(["A line of text."] * lines)
    made = prepare(
        notebook_of(f"## First\n\n{filler}\n\n## Heading of the table", table),
        title="T", lang="en-GB", date="2026-11-24", name="d",
    )  # fmt: skip
    [result] = renderer("embedded", project).render([made], ["pdf"], tmp_path)
    assert result.error is None
    pages = text_of(result.path, "-layout").split("\f")
    [page] = [p for p in pages if "A caption." in p]
    assert "Heading of the table" in page and page.count("Words of the row") >= 3


def test_odd_characters_and_long_words_stop_nothing(project, tmp_path, notebook_of) -> None:
    odd = sentence("Łódź, Ωμέγα, 東京 and \U0001f600 {w}", w="unbroken" * 30)
    made = prepare(notebook_of("## H", odd_block(odd)), title="T 東京", lang="en-GB",
                   date="2026-11-24", name="d")  # fmt: skip
    html, pdf = renderer("embedded", project).render([made], ["html", "pdf"], tmp_path)
    assert html.error is None and pdf.error is None
    assert "U+6771" in pdf.log
    assert "Łódź" in text_of(pdf.path)


def test_a_cell_that_begins_like_a_list_is_a_cell(project, tmp_path, notebook_of) -> None:
    cells = ["- minus", "+ plus", "1. one", "= equals", "/ term: slash", "(bracket)", ".dot", "[x]"]
    caption = sentence("{mark} A caption.", mark="1.")
    table = Table(["#", "- What"], [(cell, cell) for cell in cells], caption, "tbl-marks")
    made = prepare(notebook_of("## H", table), title="T", lang="en-GB", date="2026-11-24", name="d")
    [result] = renderer("embedded", project).render([made], ["pdf"], tmp_path)
    assert result.error is None
    printed = text_of(result.path, "-layout")
    assert "Table 1: 1. A caption." in " ".join(printed.replace("\xa0", " ").split())
    for cell in ("- What", *cells):
        assert re.search(re.escape(cell) + r"\s", printed), cell
    assert len(re.findall(r"^\S.*\S {2,}\S", printed, re.MULTILINE)) >= len(cells)
    with pikepdf.open(result.path) as pdf:
        kinds = {str(i.get("/S")) for i in pdf.objects if isinstance(i, pikepdf.Dictionary)}
    assert not kinds & {"/L", "/LI", "/H2"}


def odd_block(text):
    from evidence.tables import Block

    return Block(text)


def test_one_failure_leaves_the_others_alone(project, tmp_path) -> None:
    bad = document('## H\n\n![c](f.svg){#fig-a fig-alt="x"}', "bad", **{"f.svg": b"<svg>"})
    good = document("## H\n\nWords.", "good")
    results = renderer("embedded", project).render([bad, good], ["html", "pdf"], tmp_path)
    assert [(r.document, r.ok) for r in results] == [
        ("bad", False), ("bad", False), ("good", True), ("good", True),
    ]  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["good.html", "good.pdf"]


def test_needs_no_fonts_of_the_machine(rendered) -> None:
    fonts = shutil.which("pdffonts")
    if fonts is None:
        pytest.skip("needs pdffonts")
    out = subprocess.run([fonts, str(rendered["pdf"])], capture_output=True, text=True, check=True)
    names = {line.split()[0].split("+")[-1] for line in out.stdout.splitlines()[2:]}
    assert all(
        name.startswith(("Source", "Evidence", "DejaVuSansMono", "DejaVu")) for name in names
    )
