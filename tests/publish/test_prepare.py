"""Whatever is outside the dialect is named with its cell; data pass as plain text."""

import datetime as dt
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evidence.errors import RenderError
from evidence.facts import Fact
from evidence.publish.render import prepare


def shown(data: dict[str, str]) -> nbformat.NotebookNode:
    return code("x", nbformat.v4.new_output("execute_result", data, execution_count=1))


def make(*cells: Any, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"title": "T", "lang": "en-GB", "date": "2026-11-24", "name": "x"}
    made = [
        nbformat.v4.new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells
    ]
    return prepare(nbformat.v4.new_notebook(cells=made), **(arguments | changes))


def code(source: str, *outputs: Any, run: int | None = 1) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=run)


def stream(text: str, name: str = "stdout") -> nbformat.NotebookNode:
    return nbformat.v4.new_output("stream", text=text, name=name)


TABLE = '<table class="evidence" data-layout="start">\n{}\n</table>'
HEAD = '<thead>\n<tr><th scope="col">A</th></tr>\n</thead>'


def raw_table(inside: str) -> str:
    return f"::: {{#tbl-x}}\n\n```{{=html}}\n{TABLE.format(inside)}\n```\n\nCaption.\n\n:::"


FAULTS = {
    "heading of level 1": "# Title",
    "heading of level 5": "##### Deep",
    "Markdown table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "block quotation": "> quoted",
    "horizontal rule": "text\n\n***\n\ntext",
    "bare HTML or TeX": "text <b>bold</b>",
    "bare HTML (<hr>)": "<hr>",
    "mathematics": "an $x^2$ here",
    "footnote": "text[^1]\n\n[^1]: note",
    "picture in a line": "text ![a](b.png) text",
    "figure from elsewhere": '![a](https://example.org/x.png){#fig-a fig-alt="b"}',
    "figure without a label": '![a](figures/x.png){fig-alt="b"}',
    "no alternative text": "![a](figures/x.png){#fig-a}",
    "only http and https": "[a](javascript:alert(1))",
    "link to 'file:": "[a](file:///etc/passwd)",
    "refers to nothing; did you mean @sec-part?": "## Part {#sec-part}\n\nSee @sec-pat.",
    "is already in cell 2": "## A {#sec-a}\n\n## B {#sec-a}",
    "box {.panel-tabset}": "::: {.panel-tabset}\ntext\n:::",
    "a callout is written": "::: {.callout-note}\ntext\n:::",
    "foldable section begins": "::: {.fold}\ntext\n:::",
    "raw typst": "```{=typst}\n#eval(1)\n```",
    "neither a fact nor a name": "[text]{.lead}",
    "not in the bibliography": "Said [@nobody].",
    "without brackets": "## A {#sec-a}\n\nsee [@sec-a]",
    "no table of evidence.tables": (
        "::: {#tbl-x}\n\n```{=html}\n<script>1</script>\n```\n\nC.\n\n:::"
    ),
    "<script> has no place": raw_table(
        HEAD + "<tbody><tr><td><script>1</script></td></tr></tbody>"
    ),
    "<td onclick=": raw_table(HEAD + '<tbody><tr><td onclick="x">1</td></tr></tbody>'),
    "without scope": raw_table("<thead><tr><th>A</th></tr></thead>"),
    "empty heading": raw_table('<thead><tr><th scope="col"></th></tr></thead>'),
    "shortcode": "text {{< include x >}}",
    "nowhere": "::: {.key-points}\ntext",
}  # fmt: skip


@pytest.mark.parametrize("message", FAULTS)
def test_outside_the_dialect_is_a_fault_in_its_cell(message: str) -> None:
    with pytest.raises(RenderError) as error:
        make("Words.", FAULTS[message])
    lines = str(error.value).splitlines()
    assert any(message in line for line in lines), lines
    assert any(line.startswith(("x, cell 2: ", "x, notebook: ")) for line in lines)


CELLS = {
    "has not been executed": code("1", run=None),
    "prints text": code("print(1)", stream("1")),
    "raised ValueError": code("x", nbformat.v4.new_output("error", ename="ValueError", evalue="v",
                                                          traceback=[])),
    "shows only HTML": shown({"text/html": "<table></table>"}),
    "did you mean 'fig-cap'": code("#| fig-capp: x\n1"),
    "true or false": code("#| echo: 3\n1"),
    "must come before": code("1\n#| echo: true"),
    "no YAML": code("#| label: 'fig\n1"),
    "a label is fig- or tbl-": code("#| label: plot\n1"),
    "picture without label: fig-…, fig-cap, fig-alt": shown({"image/png": "aGVsbG8="}),
    "unknown entry 'tocc'": nbformat.v4.new_raw_cell("---\ntocc: true\n---"),
    "raw cell": nbformat.v4.new_raw_cell("\\section{x}"),
    "cannot be published": shown({"text/plain": "42"}),
}  # fmt: skip


@pytest.mark.parametrize("message", CELLS)
def test_wrong_cells_are_named(message: str) -> None:
    with pytest.raises(RenderError) as error:
        make("Words.", CELLS[message])
    assert "x, cell 2: " in str(error.value) and message in str(error.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(RenderError) as error:
        make("# One", "> two", "$x$")
    assert [line.split(":")[0] for line in str(error.value).splitlines()] == [
        "x, cell 1", "x, cell 2", "x, cell 3",
    ]  # fmt: skip


def test_facts_must_be_known() -> None:
    known = Fact(1, "1", "", "count", "f")
    other = Fact(2, "2", "", "count", "f")
    make(f"There is {known.md}.", facts=[known])
    with pytest.raises(RenderError, match=f"the fact {other.id} is not among"):
        make(f"There is {other.md}.", facts=[known])


def test_a_drawing_may_not_load_or_run_anything() -> None:
    import base64

    for inside in (
        "<script>1</script>",
        '<image href="https://example.org/x.png"/>',
        '<rect onload="x"/>',
        "<style>@import url(http://example.org/x.css)</style>",
    ):
        svg = f'<svg width="1pt" height="1pt">{inside}</svg>'
        data = base64.b64encode(svg.encode()).decode()
        with pytest.raises(RenderError, match="holds a script or loads from elsewhere"):
            make(f'![c](data:image/svg+xml;base64,{data}){{#fig-a fig-alt="b"}}')


def test_what_is_kept_and_what_is_not() -> None:
    works = [{"id": "jones2004", "type": "book"}, {"id": "unused", "type": "book"}]
    document = make("Jones said so [@jones2004].", bibliography=works)
    assert [work["id"] for work in document.bibliography] == ["jones2004"]
    assert document.body.endswith("::: {#refs}\n:::\n")
    assert document.date == dt.date(2026, 11, 24) and document.name == "x"
    body = make(
        nbformat.v4.new_raw_cell("---\ntitle: other\n---"),
        code("#| echo: true\nprint('```')"),
        code("warn()", stream("a warning", "stderr")),
        nbformat.v4.new_code_cell(
            "place = 1", execution_count=1, metadata={"tags": ["injected-parameters"]}
        ),
        shown({"text/html": "<p>html</p>", "text/markdown": "as Markdown"}),
    ).body
    assert body == "````python\nprint('```')\n````\n\nas Markdown\n"


def test_a_name_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a file"):
        make("Words.", name="../x")
