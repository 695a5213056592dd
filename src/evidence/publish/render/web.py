"""The frame of every web page: one style sheet, one policy, one set of templates."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from evidence.plots.style import Brand

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"

_SHEETS: dict[tuple[str, tuple[str, ...]], str] = {}


def page(name: str, look: Brand, *, sheets: tuple[str, ...] = (), script: str = "",
         **content: Any) -> str:  # fmt: skip
    """Fill in a page's template.

    Parameters
    ----------
    name : str
        File in ``templates``; it extends ``base.html``.
    look : Brand
        Colours, fonts and name.
    sheets : tuple of str
        Style sheets in ``templates`` after ``page.css``.
    script : str
        File in ``templates`` with the page's own script.
    **content
        ``lang``, ``title``, ``subtitle``, ``date``, ``long_date``, ``edition`` and ``links`` for
        the frame, and what else the template asks for; text is escaped.

    Returns
    -------
    str
        One self-contained page. Its policy lets it load nothing, and run and style with nothing
        but what is in it.
    """
    from markupsafe import Markup

    style = style_sheet(look, sheets)
    code = (TEMPLATES / script).read_text(encoding="utf-8") if script else ""
    filled = _environment().get_template(name).render(
        brand=look.name,
        style=Markup(style),
        style_hash=_sha256(style),
        script=Markup(code),
        script_hash=_sha256(code) if code else "",
        **content,
    )  # fmt: skip
    return str(filled).rstrip() + "\n"


def style_sheet(look: Brand, sheets: tuple[str, ...] = ()) -> str:
    """The style sheet with the brand's colours and fonts in it."""
    key = repr(look), sheets
    if key not in _SHEETS:
        faces = "\n".join(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
            f"font-display:swap;src:url(data:font/woff2;base64,"
            f'{base64_text(file.with_suffix(".woff2").read_bytes())}) format("woff2")}}'
            for family, weight, style, file in look.faces
        )
        light, dark = (
            ";".join(f"--{name}:{value}" for name, value in colours.items())
            for colours in (look.palette, look.dark)
        )
        body = "".join(
            (TEMPLATES / sheet).read_text(encoding="utf-8") for sheet in ("page.css", *sheets)
        )
        _SHEETS[key] = (
            f"{faces}\n:root{{color-scheme:light dark;{light};--edge:#b9d2d9;--shade:#0003;"
            f'--sans:"{look.sans}",system-ui,sans-serif;--serif:"{look.serif}",Georgia,serif}}\n'
            f"@media screen and (prefers-color-scheme:dark)"
            f"{{:root{{{dark};--edge:#31525f;--shade:#000c}}}}\n"
            # The margins of a printed page know no variables.
            f'@page{{font:400 8.5pt "{look.sans}",sans-serif;color:{look.colour("comparison")};'
            f'@bottom-left{{content:"{look.name}"}}}}\n'
            f"{body}"
        )
    return _SHEETS[key]


def base64_text(data: bytes) -> str:
    """Base64 as a ``data:`` address and a policy's hash want it."""
    return base64.b64encode(data).decode()


def _sha256(text: str) -> str:
    return base64_text(hashlib.sha256(text.encode()).digest())


@lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
