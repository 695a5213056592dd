"""Blocks of text, and the facts in them."""

import pytest

from evidence.facts import Fact, Name, Sentence, sentence
from evidence.tables import Block, Bullets, Callout, Fold, Heading, KeyPoints, Table
from evidence.tables.collect import facts_of

ONE, TWO, THREE = (Fact(n, str(n), "needs", "count", "a.b") for n in (1, 2, 3))


def said(fact):
    return sentence("It is {f}.", f=fact)


def test_a_block_leaves_out_what_is_not_there():
    block = Block(said(ONE), None, "", Sentence(""), "a*b")
    assert len(block.items) == 2
    assert block.markdown == f"{said(ONE).text}\n\na\\*b"
    assert "<p>a*b</p>" in block.preview


def test_what_cannot_be_published_is_refused():
    with pytest.raises(TypeError, match="int cannot be published"):
        Block(3)


def test_headings_lists_callouts_and_folds_in_the_dialect():
    assert Heading("Needs", 3, "sec-needs").markdown == "### Needs {#sec-needs}"
    assert Bullets([said(ONE), "b"]).markdown == f"- {said(ONE).text}\n- b"
    assert Bullets(["a", "b"], ordered=True).markdown == "1. a\n2. b"
    callout = Callout([said(ONE)], title='A "title"', kind="important").markdown
    assert callout.startswith('::: {.callout-important title="A \\"title\\""}\n\n')
    assert callout.endswith("\n\n:::")
    fold = Fold(Heading("More", 3), [said(TWO)]).markdown
    assert fold == f"::: {{.fold}}\n\n### More\n\n{said(TWO).text}\n\n:::"
    assert KeyPoints([said(ONE)]).markdown.startswith("::: {.key-points}\n\n- ")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Heading("x", 1), "level 2, 3 or 4"),
        (lambda: Heading("x", 2, "needs"), "sec- and lower-case"),
        (lambda: Callout(["x"], title=" "), "needs a title"),
        (lambda: Callout(["x"], title="x", kind="warning"), "note or important"),
    ],
)
def test_what_a_reader_could_not_use_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_previews_are_html_with_everything_escaped():
    items = [Heading("a<b", 2), Bullets(["<i>"]), Callout(["<u>"], title="<t>"),
             Fold(Heading("<h>", 3), ["<s>"]), KeyPoints([said(ONE)])]  # fmt: skip
    shown = Block(*items)._repr_mimebundle_()["text/html"]
    for tag in ("<b", "<i>", "<u>", "<t>", "<s>"):
        assert tag not in shown.replace("<blockquote", "").replace("<b>&lt;t", "")
    assert f'data-fact="{ONE.id}"' in shown


def test_facts_are_found_wherever_they_stand_each_once():
    table = Table(["a", "b"], [["x", THREE]], said(TWO), "tbl-x", said(ONE))
    shown = Block(
        Heading(said(ONE), 2), "no fact", said(TWO), Bullets([said(ONE), "x"]),
        Fold(Heading("h", 3), [Callout([table], title="t")]), KeyPoints([said(THREE)]),
    )  # fmt: skip
    assert facts_of(shown) == (ONE, TWO, THREE)
    assert facts_of(None, "text", Name("Year 6"), [said(TWO)], ONE) == (TWO, ONE)
