"""Tables that publish themselves."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.facts import Fact, Name, Sentence, sentence
from evidence.tables import Column, Table

FACT = Fact(6.4, "6.4%", "percent", "count", "a.b")
CAPTION = sentence("A caption with {fact}.", fact=FACT)


class Cells(HTMLParser):
    """Texts of the cells, row by row, and the elements that were met."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.elements = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


COLUMNS = ("Need", Column("Here", "end"))


def table(rows, columns=COLUMNS, **more):
    return Table(columns, rows, CAPTION, "tbl-x", **more)


def test_kinds_of_cells():
    shown = table(
        [["a & b", FACT], [Name("Year 6"), None], [sentence("x {f}", f=FACT), "y"]]
    ).html()
    cells = Cells(shown)
    assert cells.rows == [
        ["Need", "Here"],
        ["a & b", "6.4%"],
        ["Year 6", "not known"],
        ["x 6.4%", "y"],
    ]
    assert shown.count('scope="row"') == 3
    assert shown.count('scope="col"') == 2
    assert f'data-fact="{FACT.id}"' in shown


@given(st.lists(st.text(min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=4))
def test_text_from_data_never_becomes_markup_nor_ends_the_block(texts):
    try:
        made = table([[text, text] for text in texts])
    except ValueError as error:  # only controls: no heading is left
        assert "no heading" in str(error)
        return
    shown = made.html()
    assert Cells(shown).elements <= {"table", "thead", "tbody", "tr", "th", "td", "span"}
    inside = re.search(r"```\{=html\}\n(.*?)\n```", made.markdown, re.DOTALL)[1]
    assert inside == shown
    assert "\n\n" not in inside
    assert "```" not in inside


@pytest.mark.parametrize(
    ("rows", "columns", "label", "message"),
    [
        ([], ("Need", "Here"), "tbl-x", "is empty"),
        ([["a"]], ("Need", "Here"), "tbl-x", "has 1 cells"),
        ([[None, "b"]], ("Need", "Here"), "tbl-x", "no heading"),
        ([["", "b"]], ("Need", "Here"), "tbl-x", "no heading"),
        ([["a", "b"]], ("Need", "Here"), "needs", "tbl- and lower-case"),
        ([["a", "b"]], ("Need", " "), "tbl-x", "needs a title"),
    ],
)
def test_a_table_that_a_reader_could_not_read_is_refused(rows, columns, label, message):
    with pytest.raises(ValueError, match=message):
        Table(columns, rows, CAPTION, label)


def test_a_bare_number_is_refused_because_nobody_could_trace_it():
    with pytest.raises(TypeError, match="a number is a Fact"):
        table([["a", 6.4]]).html()


def test_widths_and_alignments():
    with pytest.raises(ValueError, match="percent"):
        Column("x", width=33)
    with pytest.raises(ValueError, match="aligned"):
        Column("x", "left")
    shown = table([["a", "b"]], (Column("Need", width=40), Column("Here", "end"))).html()
    assert 'data-layout="start:40 end"' in shown
    assert '<col class="w40"><col>' in shown
    assert '<td class="end">b</td>' in shown


def test_all_facts_in_the_order_of_reading():
    other = Fact(2, "two", "needs", "count", "a.c")
    note = sentence("Note {f}.", f=FACT)
    made = table([["a", other], ["b", sentence("{f}", f=other)]], note=note)
    assert made.facts == (FACT, other, other, FACT)
    assert made.markdown.endswith("::: {.source-note}\n\n" + note.text + "\n\n:::")


def test_a_notebook_gets_html_and_publishing_gets_markdown():
    shown = table([["a", "b"]])._repr_mimebundle_()
    assert "<caption>" in shown["text/html"]
    assert "<caption>" not in shown["text/markdown"]
    assert shown["text/plain"] == "tbl-x: A caption with 6.4%. (1 rows)"
    with pytest.raises(ValueError, match="no caption"):
        Table(["a"], [["b"]], Sentence(" "), "tbl-x")
