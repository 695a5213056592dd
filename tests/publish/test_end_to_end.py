"""Briefings of eight places as unlike as England has them, from the data to the pages."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from structure import PdfStructure, differences, pieces_of_html

from evidence.literature import read_places
from evidence.places import authority
from evidence.project import Project
from evidence.publish.batch import BatchResult, run_batch

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("City of London", "Isles of Scilly", "Birmingham", "Kent", "Blackpool", "Dorset",
          "Middlesbrough", "Hackney")  # fmt: skip

pytestmark = pytest.mark.xdist_group("end-to-end")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str], BatchResult]:
    """A copy of the project, so that the tests disturb no one's site, and what came of the run."""
    root = tmp_path_factory.mktemp("end to end")
    for name in ("literature", "notebooks", "reports"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("_site", ".*"))
    for name in ("_quarto.yml", "uv.lock"):
        shutil.copy(ROOT / name, root / name)
    project = Project(root)
    places = read_places(project)
    codes = {authority(places, name).code: name for name in PLACES}
    # The kernels find the copy by their working directory, whatever the environment says.
    before = os.environ.pop("EVIDENCE_PROJECT", None)
    try:
        result = run_batch(project, codes, workers=2)
    finally:
        if before is not None:
            os.environ["EVIDENCE_PROJECT"] = before
    return project, codes, result


def path(project: Project, code: str, ending: str) -> Path:
    return project.site / "authorities" / f"{code}.{ending}"


def test_all_are_made(made: Any) -> None:
    project, codes, result = made
    assert [(o.name, o.message) for o in result.with_status("failed")] == []
    assert {o.code for o in result.with_status("made")} == set(codes)
    for code in codes:
        for ending in ("html", "pdf", "facts.json"):
            assert path(project, code, ending).stat().st_size > 1000


def test_pages_are_whole(made: Any) -> None:
    project, codes, _ = made
    for code, name in codes.items():
        page = path(project, code, "html").read_text(encoding="utf-8")
        title = re.search(r"<h1>(.*?)</h1>", page)
        assert title and name in title[1]
        assert page.count("<figure ") >= 2, name
        images = re.findall(
            r'<img src="(data:image/svg\+xml;base64,[^"]{500,})" alt="([^"]{30,})"', page
        )
        assert len(images) == page.count("<figure "), name
        assert page.count('<table class="evidence"') >= 3, name
        words = " ".join(pieces_of_html(path(project, code, "html")))
        # What an unfinished sentence or a missing figure would leave behind.
        for odd in (r"\bnan\b", r"\bNone\b", r"\bNaN\b", r"\binf\b", r"\?@", r"\{\w+\}", r"<NA>"):
            assert not re.search(odd, words), (name, odd)


def test_every_number_shown_is_among_the_published_facts(made: Any) -> None:
    project, codes, _ = made
    for code, name in codes.items():
        page = path(project, code, "html").read_text(encoding="utf-8")
        shown = set(re.findall(r'data-fact="([^"]+)"', page))
        content = json.loads(path(project, code, "facts.json").read_text(encoding="utf-8"))
        items = content["facts"] if isinstance(content, dict) and "facts" in content else content
        known = set(items) if isinstance(items, dict) else {item["id"] for item in items}
        assert len(shown) > 50, name
        assert shown <= known, (name, sorted(shown - known)[:5])


def test_pdfs_are_tagged(made: Any) -> None:
    project, codes, _ = made
    for code, name in codes.items():
        pdf = PdfStructure(path(project, code, "pdf"))
        assert pdf.faults() == [], name
        assert name in pdf.title
        page = path(project, code, "html").read_text(encoding="utf-8")
        assert pdf.count("Figure") == page.count("<figure "), name
        assert pdf.count("Table") == page.count('<table class="evidence"'), name


@pytest.mark.pdf
def test_both_formats_say_the_same(made: Any) -> None:
    project, codes, _ = made
    for code, name in codes.items():
        found = differences(path(project, code, "html"), path(project, code, "pdf"))
        assert found == [], (name, found[:5])


@pytest.mark.browser
def test_pages_have_no_barriers_and_load_nothing(made: Any, inspect: Any) -> None:
    project, codes, _ = made
    for number, (code, name) in enumerate(codes.items()):
        # Each place at one width and in one scheme; between them, all four.
        width, scheme = (320, 1280)[number % 2], ("light", "dark")[number // 2 % 2]
        assert inspect(path(project, code, "html"), width, scheme) == [], (name, width, scheme)
