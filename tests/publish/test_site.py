"""The index finds an authority, with and without scripts."""

import shutil
from pathlib import Path

import pytest

from evidence.project import Project
from evidence.publish.site import write_index

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "reports", root / "reports", ignore=shutil.ignore_patterns("_site"))
    shutil.copytree(ROOT / "literature" / "places", root / "literature" / "places")
    folder = root / "reports" / "_site" / "authorities"
    folder.mkdir(parents=True)
    for name in ("E10000016.html", "E10000016.pdf", "E06000010.html", "E06000010.pdf",
                 "E09000001.html"):  # fmt: skip
        (folder / name).write_text("<!DOCTYPE html><title>x</title>")
    write_index(Project(root))
    return Project(root)


def test_lists_every_authority_and_links_what_is_there(site: Project) -> None:
    page = (site.site / "index.html").read_text()
    assert page.count("<li data-words=") == 153
    assert page.count('<h2 id="region-') == 9
    assert page.count("not made") == 150
    assert '<a href="authorities/E10000016.html">Kent</a>' in page
    assert 'href="authorities/E10000016.pdf" aria-label="PDF for Kent"' in page
    assert 'href="authorities/E09000001.html"' in page and "E09000001.pdf" not in page
    assert "Open Government" in page and site.edition().long_date in page


def test_same_files_same_bytes(site: Project) -> None:
    before = (site.site / "index.html").read_bytes()
    assert write_index(site).read_bytes() == before


@pytest.mark.browser
def test_search_finds_by_name_region_and_code(site: Project, browser) -> None:
    page = browser.new_page()
    page.goto((site.site / "index.html").as_uri())
    shown = page.locator(".region li:visible")
    assert shown.count() == 153
    for asked, expected in [("ken", 2), ("hull", 1), ("E10000016", 1), ("city of kingston", 1),
                            ("bristol", 1), ("st. helens", 1), ("north east", None),
                            ("nowhere", 0), ("", 153)]:  # fmt: skip
        page.get_by_label("Find an authority").fill(asked)
        count = shown.count()
        if expected is None:
            assert 10 < count < 20
        else:
            assert count == expected, asked
    page.get_by_label("Find an authority").fill("kent")
    assert page.get_by_role("status").inner_text() == "1 authority"
    page.get_by_label("Find an authority").press("Enter")
    page.wait_for_url("**/E10000016.html")
    page.close()


@pytest.mark.browser
def test_works_without_scripts(site: Project, browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site.site / "index.html").as_uri())
    assert page.locator(".region li:visible").count() == 153
    assert not page.get_by_label("Find an authority").is_visible()
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_accessible_and_self_contained(site: Project, inspect, scheme: str, width: int) -> None:
    assert inspect(site.site / "index.html", width, scheme) == []
