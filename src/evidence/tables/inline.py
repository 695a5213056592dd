"""The Markdown of a sentence as HTML, for table cells and for JupyterLab.

It knows exactly what :mod:`evidence.facts` writes and nothing more: spans of facts and names,
links, emphasis, citations, references and escaped characters. Documents are read by pandoc.
"""

from __future__ import annotations

import html
import re

_TOKEN = re.compile(
    r"""
    (?P<escape>\\[^A-Za-z0-9\s])
  | \[(?P<fact>(?:\\.|[^\[\]\\])*)\]\{\.fact\ fact="(?P<id>[0-9a-f]{10})"\}
  | \[(?P<name>(?:\\.|[^\[\]\\])*)\]\{\.name\}
  | \[(?P<words>(?:\\.|[^\[\]\\])*)\]\((?P<url>https?://[^\s()<>"']+)\)
  | (?P<cite>\[[^\[\]]*@[^\[\]]*\])
  | (?P<reference>@(?:fig|tbl|sec)-[a-z0-9-]+)
  | \*\*(?P<strong>(?:\\.|[^*\\])+)\*\*
  | \*(?P<emphasis>(?:\\.|[^*\\])+)\*
  | (?P<text>[^\\\[\]*_`<>@^~$|{}!\#]+)
  | (?P<mark>[!\#])
    """,
    re.VERBOSE,
)


def escape(text: str) -> str:
    """Text as HTML in which a fence of Markdown cannot end and a shortcode cannot begin."""
    return html.escape(text).replace("`", "&#96;").replace("{", "&#123;")


def to_html(text: str, *, cell: bool = True) -> str:
    """HTML of a sentence's Markdown.

    Parameters
    ----------
    text : str
        Markdown as :mod:`evidence.facts` writes it.
    cell : bool
        Whether it goes into a table cell of a document, where citations and references cannot
        stand; elsewhere (in JupyterLab) they show as they are written.

    Raises
    ------
    ValueError
        If the text holds Markdown that no sentence has.
    """
    out: list[str] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            if not cell:
                # A preview shows what it does not understand; publishing judges it.
                out.append(escape(text[position]))
                position += 1
                continue
            raise ValueError(f"a table cell cannot hold this Markdown: {text[position:][:40]!r}")
        position = match.end()
        out.append(_piece(match, cell))
    return "".join(out)


def _piece(match: re.Match[str], cell: bool) -> str:
    kind = match.lastgroup
    part = match.groupdict()
    if kind == "escape":
        return escape(part["escape"][1:])
    if kind == "id":
        return fact_html(to_html(part["fact"], cell=cell), part["id"])
    if kind == "name":
        return to_html(part["name"], cell=cell)
    if kind == "url":
        return f'<a href="{escape(part["url"])}">{to_html(part["words"], cell=cell)}</a>'
    if kind == "strong":
        return f"<strong>{to_html(part['strong'], cell=cell)}</strong>"
    if kind == "emphasis":
        return f"<em>{to_html(part['emphasis'], cell=cell)}</em>"
    if kind in ("cite", "reference") and cell:
        raise ValueError(
            f"a table cell cannot hold {match.group()!r}: citations and references stand in text"
        )
    return escape(match.group())


def fact_html(inner: str, identity: str) -> str:
    """A fact as HTML.

    Parameters
    ----------
    inner : str
        Its text, already HTML.
    identity : str
        Its ten hexadecimal digits.
    """
    return f'<span class="fact" data-fact="{identity}">{inner}</span>'
