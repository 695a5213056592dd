"""Pages as browsers and their readers get them."""

import re
from pathlib import Path

import pytest

from evidence.tables.collect import facts_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_barrier_no_request_no_sideways_scroll(rendered, look, width, scheme) -> None:
    seen = look(rendered["html"], width, scheme)
    assert seen.violations == []
    assert seen.requests == []
    assert seen.messages == []
    assert seen.overflow <= 0


def test_the_checks_see_what_they_are_for(rendered, look, tmp_path: Path) -> None:
    text = rendered["html"].read_text()
    broken = tmp_path / "broken.html"
    broken.write_text(
        re.sub(r'alt="[^"]*"', "", text)
        .replace('<html lang="en-GB">', "<html>")
        .replace("img-src data:", "img-src data: https:")
        .replace(
            "</main>",
            '<img src="https://example.org/x.png" alt="x"><p style="width:999px">x</p></main>',
        )
    )
    seen = look(broken, 320)
    rules = {line.split(":")[0] for line in seen.violations}
    assert {"image-alt", "html-has-lang"} <= rules
    assert seen.requests == ["https://example.org/x.png"]
    assert seen.overflow > 0


def test_the_policy_lets_nothing_in(rendered, browser, tmp_path: Path) -> None:
    """A script or an outside address that slipped in would not run or load."""
    hostile = tmp_path / "hostile.html"
    hostile.write_text(
        rendered["html"].read_text().replace(
            "</main>",
            "<script>document.title = 'taken'</script>"
            '<img src="https://example.org/x.png" alt="" onerror="document.title = \'taken\'">'
            '<p style="color:red">x</p></main>',
        )
    )  # fmt: skip
    page = browser.new_page()
    requests: list[tuple[str, str | None]] = []
    page.on("requestfailed", lambda request: requests.append((request.url, request.failure)))
    page.goto(hostile.as_uri())
    page.wait_for_timeout(200)
    assert page.title() == "A sample of everything"
    # Asked for by the page, and stopped before it left the browser.
    assert requests == [("https://example.org/x.png", "csp")]
    colour = page.locator("main p").last.evaluate("e => getComputedStyle(e).color")
    assert colour != "rgb(255, 0, 0)"
    page.close()


def test_hostile_text_is_text(rendered, browser) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(rendered["html"].as_uri())
    shown = page.locator("main").inner_text()
    assert shown.count('<script>alert(1)</script> <img src="https://evil.example/x.png">') == 2
    assert (
        page.locator("main script, main iframe, main form, main img:not([src^='data:'])").count()
        == 0
    )
    links = [a.get_attribute("href") for a in page.locator("a").all()]
    assert all(re.match(r"https?://|#|sample\.pdf$|\.\./index\.html$", link) for link in links)
    page.close()


def test_every_link_inside_the_page_leads_somewhere(rendered, browser) -> None:
    page = browser.new_page()
    page.goto(rendered["html"].as_uri())
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    twice = page.evaluate(
        "(ids => ids.filter((id, i) => ids.indexOf(id) !== i))"
        "([...document.querySelectorAll('[id]')].map(e => e.id))"
    )
    assert lost == [] and twice == []
    page.close()


def test_it_can_be_used_with_the_keyboard_alone(rendered, browser) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(rendered["html"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    # The region of a wide table can be reached and scrolled.
    region = page.locator("#tbl-wide .scroll")
    region.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(400)
    assert region.evaluate("e => e.scrollLeft") > 0
    name = region.evaluate(
        "e => document.getElementById(e.getAttribute('aria-labelledby')).textContent"
    )
    assert " ".join(name.split()).startswith("Table 1: Six columns")
    page.close()


def test_references_figures_and_facts(rendered, page_of, sample, sample_facts) -> None:
    page = page_of(rendered["html"])
    text = " ".join(page.text.split())
    for words in ("as Figure 1 and Table 1 show", "see also Section 3",
                  "(Axford and Little 2006, 300)", "Figure 2: A line falls to 6.4%."):  # fmt: skip
        assert words in text
    assert "Left out" not in text and "evidence-cell" not in rendered["html"].read_text()
    assert set(page.facts) == {fact.id for fact in sample_facts}
    assert facts_of(*sample_facts) == sample_facts


def test_figures_are_as_large_as_their_type_wants(rendered, browser) -> None:
    """Type in a drawing is as large as the text beside it, on the screen as on paper."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(rendered["html"].as_uri())
    box = page.locator("#fig-lines img").bounding_box()
    column = page.locator("main").bounding_box()
    assert abs(box["width"] - column["width"]) < 2
    page.close()
