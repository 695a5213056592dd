"""From an executed notebook to a document that any engine can render."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat
import yaml

from evidence.errors import RenderError
from evidence.facts import Fact, clean, md
from evidence.publish.render import pandoc
from evidence.publish.render.dialect import (
    MARK,
    OptionError,
    Walker,
    read_options,
    shortcodes,
)
from evidence.publish.render.document import Document

_FRONT = re.compile(r"\A\s*---\s*\n(.*?)\n---\s*\Z", re.DOTALL)
_FRONT_KEYS = frozenset({"title", "subtitle", "lang", "date", "author", "format", "execute",
                         "jupyter", "bibliography", "number-sections"})  # fmt: skip
_DATA_IMAGE = re.compile(
    r"\]\(data:image/(?P<kind>svg\+xml|png);base64,(?P<data>[A-Za-z0-9+/=\s]+)\)"
    r"\{#(?P<label>fig-[a-z0-9-]+)"
)
_SVG_DANGER = re.compile(
    rb"<script|<foreignObject|<!ENTITY|\son[a-z]+\s*=|javascript:|"
    rb"(?:href|src)\s*=\s*[\"'](?!#|data:image/)|url\(\s*[\"']?(?!#|[\"']?data:)",
    re.IGNORECASE,
)
_HIDDEN = frozenset({"remove-cell", "remove_cell", "parameters", "injected-parameters"})
_INSTEAD = "show a Sentence, Block, Figure or Table, or set '#| output: false'"
_LANG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def prepare(
    notebook: nbformat.NotebookNode,
    *,
    title: str,
    lang: str,
    date: dt.date | str,
    subtitle: str = "",
    bibliography: Sequence[Mapping[str, Any]] = (),
    facts: Sequence[Fact] = (),
    name: str = "",
    links: Sequence[tuple[str, str]] = (),
    edition: str = "",
) -> Document:
    """Turn an executed notebook into a document, or say everything that is wrong with it.

    Markdown cells and outputs are taken in order; code is hidden unless a cell says
    ``#| echo: true``. Where an output is there as Markdown, every other form of it is dropped.
    Nothing of the notebook's metadata is kept.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed; it is not changed.
    title, subtitle : str
        Plain text; they win over the notebook's front matter.
    lang : str
        Language tag such as ``"en-GB"``.
    date : datetime.date or str
        The edition's date; text is read as ISO 8601.
    bibliography : sequence of dict
        CSL-JSON; what is not cited is left out.
    facts : sequence of Fact
        The facts of the document. Where given, every fact shown must be among them.
    name : str
        Stem of the files, for example an authority's code; by default made from the title.
    links : sequence of (words, address)
        Ways to neighbouring pages, shown on screens.
    edition : str
        Id of the edition, printed beside the date.

    Raises
    ------
    RenderError
        If anything is outside the dialect, missing or ambiguous; one line for each fault, with
        the number of its cell counted from 1.
    """
    title, subtitle = clean(title), clean(subtitle)
    stem = name or re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "document"
    faults: list[tuple[int, str]] = []
    when = dt.date.fromisoformat(date) if isinstance(date, str) else date
    if not title.strip():
        faults.append((0, "the document has no title"))
    if not _LANG.fullmatch(lang):
        faults.append((0, f"{lang!r} is no language tag"))
    pieces = _pieces(notebook, faults)
    files: dict[str, bytes] = {}
    parts: list[tuple[int, str]] = []
    for cell, piece in pieces:
        faults += [(cell, f"a shortcode ({seen!r})") for seen in shortcodes(piece)]
        parts.append((cell, _extract(piece, cell, files, faults)))
    marked = "\n\n".join(f'[]{{.{MARK} cell="{cell}"}}\n\n{text}' for cell, text in parts)
    tree, log = pandoc.run(["-f", pandoc.READER, "-t", "json"], marked)
    walker = Walker(files)
    found = walker.walk(json.loads(tree)["blocks"])
    faults += found.faults
    if "unclosed" in log or walker.marks != len(parts):
        faults.append((0, "a box or a fence is opened in one cell and closed nowhere"))
    works = _works(bibliography, found.citations, faults)
    if facts:
        known = {fact.id for fact in facts}
        faults += [
            (cell, f"the fact {identity} is not among the document's facts")
            for identity, cell in found.facts
            if identity not in known
        ]
    body = "\n\n".join(text for _, text in parts)
    if not body.strip():
        faults.append((0, "the notebook shows nothing"))
    if faults:
        lines = [f"{stem}, {f'cell {cell}' if cell else 'notebook'}: {message}"
                 for cell, message in sorted(dict.fromkeys(faults))]  # fmt: skip
        raise RenderError("\n".join(lines))
    if found.citations and not found.has_refs:
        body += "\n\n## References {.unnumbered}\n\n::: {#refs}\n:::"
    used = {path: files[path] for path in found.images}
    return Document(
        stem, title, subtitle, lang, when, body + "\n", used, works,
        tuple((words, address) for words, address in links), edition,
    )  # fmt: skip


def _pieces(
    notebook: nbformat.NotebookNode, faults: list[tuple[int, str]]
) -> list[tuple[int, str]]:
    """Markdown of every cell that shows something, with the number of the cell."""
    pieces: list[tuple[int, str]] = []
    front = False
    for number, cell in enumerate(notebook.cells, start=1):
        source = str(cell.source)
        tags = set(cell.metadata.get("tags", ()))
        if cell.cell_type in ("raw", "markdown") and not front and (m := _FRONT.match(source)):
            front = True
            _check_front(m.group(1), number, faults)
        elif cell.cell_type == "raw":
            if source.strip():
                faults.append((number, "a raw cell that is no front matter"))
        elif cell.cell_type == "markdown":
            if "remove-cell" not in tags and source.strip():
                pieces.append((number, source))
        elif source.strip():
            shown = _code_cell(cell, number, faults)
            # Parameters are no part of the text; nor is a cell's failure to be hidden by a tag.
            if shown.strip() and not tags & _HIDDEN:
                pieces.append((number, shown))
    return pieces


def _check_front(text: str, number: int, faults: list[tuple[int, str]]) -> None:
    try:
        front = yaml.safe_load(text)
    except yaml.YAMLError as error:
        faults.append((number, f"the front matter is no YAML: {error}"))
        return
    if not isinstance(front, dict):
        faults.append((number, "the front matter is no YAML mapping"))
        return
    unknown = sorted(set(front) - _FRONT_KEYS)
    faults += [(number, f"unknown entry {key!r} in the front matter") for key in unknown]


def _code_cell(cell: nbformat.NotebookNode, number: int, faults: list[tuple[int, str]]) -> str:
    """Markdown of what a code cell shows."""
    try:
        options, code = read_options(str(cell.source))
    except OptionError as error:
        faults.append((number, str(error)))
        return ""
    if code.strip() and cell.execution_count is None:
        faults.append((number, "has not been executed"))
        return ""
    shown: list[str] = []
    include = options.get("include", True)
    if options.get("echo", False) and include:
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", code)), 3)
        shown.append(f"{fence}python\n{code}\n{fence}")
    wanted = include and options.get("output", True)
    outputs: list[str] = []
    for output in cell.outputs:
        if output.output_type == "error":
            faults.append((number, f"raised {output.ename}: {output.evalue}"))
        elif output.output_type == "stream":
            # Warnings stay in the executed notebook and its log.
            if wanted and output.name == "stdout" and str(output.text).strip():
                text = str(output.text).strip()[:40]
                faults.append((number, f"prints text ({text!r}); {_INSTEAD}"))
        elif wanted:
            outputs.append(_output(output.data, options, number, faults))
    label = options.get("label")
    captions = [key for key in ("fig-cap", "fig-alt", "tbl-cap") if key in options]
    if wanted and (label or captions) and not any(outputs):
        faults.append((number, f"shows nothing, but has {label or captions[0]}"))
    if label and label.startswith("tbl-"):
        if not options.get("tbl-cap", "").strip():
            faults.append((number, f"{label} has no caption (tbl-cap)"))
        shown.append(f"::: {{#{label}}}\n\n" + "\n\n".join(outputs)
                     + f"\n\n{options.get('tbl-cap', '')}\n\n:::")  # fmt: skip
    else:
        shown += outputs
    return "\n\n".join(part for part in shown if part.strip())


def _output(
    data: Mapping[str, Any], options: Mapping[str, Any], number: int,
    faults: list[tuple[int, str]],
) -> str:  # fmt: skip
    if "text/markdown" in data:
        return str(data["text/markdown"])
    for kind, ending in (("image/svg+xml", "svg+xml"), ("image/png", "png")):
        if kind not in data:
            continue
        label = options.get("label", "")
        missing = [key for key in ("fig-cap", "fig-alt") if not options.get(key, "").strip()]
        if not label.startswith("fig-"):
            missing.insert(0, "label: fig-…")
        if missing:
            faults.append((number, f"a picture without {', '.join(missing)}; show a Figure of "
                           "evidence.plots, which has them"))  # fmt: skip
            return ""
        content = str(data[kind])
        encoded = (
            base64.b64encode(content.encode()).decode() if ending == "svg+xml" else content.strip()
        )
        alt = md(options["fig-alt"])
        return (
            f"![{options['fig-cap']}](data:image/{ending};base64,{encoded})"
            f'{{#{label} fig-alt="{alt}"}}'
        )
    if "text/html" in data:
        faults.append((number, "shows only HTML (a bare data frame?); show a Table of "
                       "evidence.tables"))  # fmt: skip
    else:
        kinds = ", ".join(sorted(data)) or "nothing"
        faults.append((number, f"shows what cannot be published ({kinds}); {_INSTEAD}"))
    return ""


def _extract(text: str, cell: int, files: dict[str, bytes], faults: list[tuple[int, str]]) -> str:
    """Move pictures from ``data:`` addresses into files named after their labels."""

    def take(match: re.Match[str]) -> str:
        ending = "svg" if match["kind"] == "svg+xml" else "png"
        path = f"figures/{match['label']}.{ending}"
        try:
            content = base64.b64decode("".join(match["data"].split()), validate=True)
        except binascii.Error:
            faults.append((cell, f"the picture of {match['label']} is damaged"))
            content = b""
        if ending == "svg" and _SVG_DANGER.search(content):
            faults.append((cell, f"{match['label']} holds a script or loads from elsewhere"))
        files.setdefault(path, content)
        return f"]({path}){{#{match['label']}"

    return _DATA_IMAGE.sub(take, text)


def _works(
    bibliography: Sequence[Mapping[str, Any]],
    citations: Sequence[tuple[str, int]],
    faults: list[tuple[int, str]],
) -> tuple[Mapping[str, Any], ...]:
    known = {str(work.get("id", "")): work for work in bibliography}
    for key, cell in citations:
        if key not in known:
            faults.append((cell, f"@{key} is cited, but is not in the bibliography"))
    cited = sorted({key for key, _ in citations} & set(known))
    for key in cited:
        url = str(known[key].get("URL", "https://"))
        if not re.match(r"https?://", url, re.IGNORECASE):
            faults.append(
                (0, f"the work {key} has an address that is not of the web: {url[:60]!r}")
            )
    return tuple(known[key] for key in cited)
