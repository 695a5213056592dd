"""HTML of what sentences write."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.facts import Fact, Name, clean, link, md, sentence
from evidence.tables.inline import to_html

FACT = Fact(6.4, "6.4%", "percent", "count", "a.b")


@given(st.text(max_size=60))
def test_escaped_text_shows_as_it_is_and_holds_no_markup(text):
    shown = to_html(md(text))
    assert "<" not in shown
    assert "`" not in shown
    assert "{" not in shown
    assert " ".join(html.unescape(shown).split()) == clean(text).strip()


def test_spans_links_and_emphasis():
    text = sentence("**Strong** *and* {fact} in {name}, {more}.", fact=FACT, name=Name("Year 6"),
                    more="a < b").text  # fmt: skip
    assert to_html(text) == (
        f'<strong>Strong</strong> <em>and</em> <span class="fact" data-fact="{FACT.id}">6.4%</span>'
        " in Year 6, a &lt; b."
    )
    assert to_html(link("x", "https://a.org/b")) == '<a href="https://a.org/b">x</a>'


@pytest.mark.parametrize("text", ["see [@key]", "see @tbl-needs"])
def test_citations_stand_in_text_not_in_cells(text):
    with pytest.raises(ValueError, match="stand in text"):
        to_html(text)
    assert to_html(text, cell=False) == text


@pytest.mark.parametrize("text", ["`code`", "<b>", "[x](javascript:alert)", "a | b", "$x$"])
def test_other_markdown_is_refused_in_a_cell_and_inert_in_a_preview(text):
    with pytest.raises(ValueError, match="cannot hold this Markdown"):
        to_html(text)
    preview = to_html(text, cell=False)
    assert "<b>" not in preview
    assert "href" not in preview
