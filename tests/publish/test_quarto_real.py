"""Quarto itself: the same documents from both engines, and a notebook rendered by hand.

Skipped where there is no Quarto on PATH; EVIDENCE_REQUIRE=quarto makes that a failure. Every fault
that a reader would meet is looked for: lost references, figures, tables, alternative text or words,
and requests to elsewhere.
"""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from structure import PdfStructure, differences, letters_of_pdf, pieces_of_html

from evidence.literature import read_places
from evidence.places import authority
from evidence.project import Project
from evidence.publish.batch import run_batch

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("City of London", "Isles of Scilly", "Birmingham", "Kent", "Blackpool", "Dorset",
          "Middlesbrough", "Hackney")  # fmt: skip

pytestmark = [pytest.mark.quarto, pytest.mark.xdist_group("quarto")]


def copy_of_project(root: Path) -> Project:
    ignore = shutil.ignore_patterns("_site", ".*")
    for name in ("literature", "notebooks", "reports", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in ("_quarto.yml", "uv.lock"):
        shutil.copy(ROOT / name, root / name)
    return Project(root)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str], Path, Path]:
    """All fixed authorities by both engines: folders of Quarto's and of the embedded engine's."""
    project = copy_of_project(tmp_path_factory.mktemp("both engines"))
    places = read_places(project)
    codes = {authority(places, name).code: name for name in PLACES}
    before = os.environ.pop("EVIDENCE_PROJECT", None)
    folders = []
    try:
        for engine in ("quarto", "embedded"):
            result = run_batch(project, codes, workers=2, engine=engine, force=True)
            assert [(o.name, o.message) for o in result.with_status("failed")] == []
            folders.append(project.root / f"by {engine}")
            (project.site / "authorities").rename(folders[-1])
    finally:
        if before is not None:
            os.environ["EVIDENCE_PROJECT"] = before
    return project, codes, folders[0], folders[1]


class Reader(HTMLParser):
    """What a page holds, and what it would load."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.alts: list[str] = []
        self.tables = 0
        self.heads = 0
        self.facts: list[str] = []
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img" or (tag == "svg" and given.get("role") == "img"):
            self.alts.append(given.get("alt", given.get("aria-label", "")))
        self.tables += tag == "table"
        self.heads += tag == "th"
        if "data-fact" in given:
            self.facts.append(given["data-fact"])
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and given.get("href", "").startswith("#"):
            self.targets.append(given["href"][1:])
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "link"):
            address = given.get("src") or given.get("href") or ""
            if re.match(r"(https?:)?//", address):
                self.loads.append(f"{tag} {address}")


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_pages_of_both_engines_hold_the_same(both: Any) -> None:
    _, codes, quarto, embedded = both
    for code, name in codes.items():
        ours, theirs = read(quarto / f"{code}.html"), read(embedded / f"{code}.html")
        assert ours.alts == theirs.alts and all(alt.strip() for alt in ours.alts), name
        assert (ours.tables, ours.heads) == (theirs.tables, theirs.heads), name
        assert ours.facts == theirs.facts, name
        assert ours.loads == [], name
        assert [target for target in ours.targets if target not in ours.ids] == [], name
        assert pieces_of_html(quarto / f"{code}.html") == pieces_of_html(
            embedded / f"{code}.html"
        ), name


def test_pdfs_are_tagged_and_whole(both: Any) -> None:
    _, codes, quarto, embedded = both
    for code, name in codes.items():
        ours, theirs = (PdfStructure(folder / f"{code}.pdf") for folder in (quarto, embedded))
        assert ours.faults() == [], name
        assert ours.alts == theirs.alts, name
        assert ours.title == theirs.title and name in ours.title
        for tag in ("Table", "Figure", "H1", "H2", "H3", "L"):
            assert ours.count(tag) == theirs.count(tag), (name, tag)


@pytest.mark.pdf
def test_words_are_the_same_in_both_formats_of_both_engines(both: Any) -> None:
    _, codes, quarto, embedded = both
    for code, name in codes.items():
        for page in (quarto, embedded):
            for pdf in (quarto, embedded):
                found = differences(page / f"{code}.html", pdf / f"{code}.pdf")
                assert found == [], (name, page.name, pdf.name, found[:5])
        assert "?@" not in letters_of_pdf(quarto / f"{code}.pdf")


@pytest.mark.browser
def test_pages_have_no_barriers_and_load_nothing(both: Any, inspect: Any) -> None:
    _, codes, quarto, _ = both
    for number, (code, name) in enumerate(codes.items()):
        width, scheme = (320, 1280)[number % 2], ("light", "dark")[number // 2 % 2]
        assert inspect(quarto / f"{code}.html", width, scheme) == [], (name, width, scheme)


def test_the_same_inputs_give_the_same_bytes(both: Any) -> None:
    project, codes, quarto, _ = both
    code = min(codes)
    result = run_batch(project, {code: codes[code]}, workers=1, engine="quarto", force=True)
    assert result.ok
    for ending in ("html", "pdf"):
        again = project.site / "authorities" / f"{code}.{ending}"
        assert again.read_bytes() == (quarto / f"{code}.{ending}").read_bytes(), ending


@pytest.mark.parametrize("source", ["build/notebooks/E10000016.ipynb", "notebooks/briefing.ipynb"])
def test_a_researcher_renders_a_notebook_by_hand(both: Any, tmp_path: Path, source: str) -> None:
    """With nothing but `quarto render NOTEBOOK` in a project: run before, or not run at all."""
    project = copy_of_project(tmp_path / "plain")
    notebook = project.root / source
    if "build" in source:
        notebook.parent.mkdir(parents=True)
        shutil.copy(both[0].root / source, notebook)
    before = notebook.read_bytes()
    environment = {**os.environ, "QUARTO_PYTHON": sys.executable}
    done = subprocess.run(
        ["quarto", "render", source], cwd=project.root, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert notebook.read_bytes() == before
    made = {path.suffix: path for path in project.root.rglob(f"{notebook.stem}.*")
            if path.suffix in (".html", ".pdf")}  # fmt: skip
    assert set(made) == {".html", ".pdf"}, said[-3000:]
    page = read(made[".html"])
    text = made[".html"].read_text(encoding="utf-8")
    assert page.loads == []
    assert "?@" not in text and "Unable to resolve" not in said
    pdf = PdfStructure(made[".pdf"])
    if "build" in source:
        shown = "".join(
            str(output.data.get("text/markdown", ""))
            for cell in nbformat.read(notebook, as_version=4).cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if "data" in output
        )
        figures, tables = shown.count("{#fig-"), shown.count('<table class="evidence"')
        assert figures >= 2 and tables >= 3
        assert len([alt for alt in page.alts if len(alt) > 30]) == figures
        assert page.tables == tables
        assert pdf.count("Table") >= tables and len(pdf.alts) >= figures
        assert all(alt.strip() for alt in pdf.alts)
    else:
        assert "has not been run" in text
