"""Rendering with pandoc and Typst, both of which come from PyPI.

Pandoc reads the prepared Markdown, numbers and cites; the page's frame is a template of ours.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import struct
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.errors import EvidenceError, RenderError
from evidence.files import write_atomically
from evidence.plots.style import MM, TEXT_WIDTH, Brand, brand
from evidence.project import Project
from evidence.publish.render import pandoc
from evidence.publish.render.document import Document, Rendered, check_request
from evidence.publish.render.web import TEMPLATES, base64_text, page

if TYPE_CHECKING:
    import typst

_FILTERS = TEMPLATES.parent / "filters"
_END_OF_CONTENTS = "<!-- contents end here -->"

# Width of the column of text on screen, in pixels; a full-width figure fills it.
_COLUMN = 704
_POINT = _COLUMN / (TEXT_WIDTH * MM * 72)

# Stands for a character that the fonts do not have, so that a reader sees that one was there.
_NO_GLYPH = "\N{WHITE SQUARE}"


class EmbeddedRenderer:
    """The engine that needs nothing but Python packages.

    Parameters
    ----------
    project : Project
        Gives brand, fonts and citation style.
    """

    name = "embedded"
    chunk = 1

    def __init__(self, project: Project) -> None:
        self.project = project
        self.brand = brand(project)
        self.csl = project.reports / "evidence.csl"

    @property
    def version(self) -> str:
        """Engine and tools with their versions, for fingerprints."""
        from importlib.metadata import version

        return f"embedded, pandoc {pandoc.version()}, typst {version('typst')}"

    def render(
        self, documents: Sequence[Document], formats: Sequence[str], out: Path
    ) -> list[Rendered]:
        """Render documents into a folder; the failure of one leaves the others alone.

        Parameters
        ----------
        documents : sequence of Document
        formats : sequence of str
            ``"html"``, ``"pdf"`` or both.
        out : pathlib.Path
            Folder for ``NAME.html`` and ``NAME.pdf``, each written atomically.

        Returns
        -------
        list of Rendered
            One for each document and format, in that order.

        Raises
        ------
        UsageError
            If a format is unknown or two documents have one name.
        """
        check_request(documents, formats)
        results = []
        for document in documents:
            for wanted in formats:
                make = self._html if wanted == "html" else self._pdf
                try:
                    content, log = make(document, formats)
                    path = write_atomically(out / f"{document.name}.{wanted}", content)
                except (EvidenceError, OSError) as error:
                    results.append(Rendered(document.name, wanted, None, error=str(error)))
                else:
                    results.append(Rendered(document.name, wanted, path, log))
        return results

    def _read(self, document: Document, folder: Path, arguments: Sequence[str]) -> tuple[str, str]:
        """Body of the document in another format, numbered and cited."""
        options = ["-f", pandoc.READER, "--wrap=none", "--metadata=link-citations:true",
                   f"--metadata=lang:{document.lang}",
                   f"--lua-filter={_FILTERS / 'references.lua'}"]  # fmt: skip
        if document.bibliography:
            works = folder / "works.json"
            works.write_text(json.dumps(list(document.bibliography)), encoding="utf-8")
            options += ["--citeproc", f"--csl={self.csl}", f"--bibliography={works}"]
        output, log = pandoc.run([*options, *arguments], document.body, folder)
        if "[WARNING]" in log:
            raise RenderError(f"{document.name}: pandoc warns: {log}")
        return output, log

    def _html(self, document: Document, formats: Sequence[str]) -> tuple[str, str]:
        with tempfile.TemporaryDirectory(prefix="evidence-html-") as name:
            folder = Path(name)
            metadata = folder / "sizes.json"
            metadata.write_text(json.dumps({"sizes": sizes(document)}), encoding="utf-8")
            output, log = self._read(
                document,
                folder,
                ["-t", "html5", f"--template={TEMPLATES / 'fragment.html'}",
                 f"--metadata-file={metadata}", f"--lua-filter={_FILTERS / 'html.lua'}"],
            )  # fmt: skip
        contents, body = output.split(_END_OF_CONTENTS)
        return framed(document, self.brand, formats, contents, body), log

    def _pdf(self, document: Document, formats: Sequence[str]) -> tuple[bytes, str]:
        import typst

        with tempfile.TemporaryDirectory(prefix="evidence-pdf-") as name:
            folder = Path(name)
            body, log = self._read(
                document,
                folder,
                ["-t", "typst-citations-smart", f"--lua-filter={_FILTERS / 'typst.lua'}"],
            )
            for path, data in document.files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            write_typst_template(folder, self.brand)
            text, missing = _with_glyphs(typst_head(document) + body, self.brand)
            main = folder / "main.typ"
            main.write_text(text, encoding="utf-8")
            midnight = dt.datetime.combine(document.date, dt.time(), dt.UTC)
            try:
                compiler = typst.Compiler(
                    main, root=folder, font_paths=_fonts(self.brand), ignore_system_fonts=True
                )
                content = compiler.compile(
                    format="pdf", pdf_standards=["ua-1"], timestamp=int(midnight.timestamp())
                )
            except typst.TypstError as error:
                detail = str(error.diagnostic or error).replace(str(folder), "")
                raise RenderError(f"{document.name}: Typst failed: {detail}") from error
        if missing:
            log += f"characters without a glyph in the fonts: {missing}"
        if not isinstance(content, bytes):
            raise RenderError(f"{document.name}: Typst gave no PDF")
        return content, log


def framed(
    document: Document, look: Brand, formats: Sequence[str], contents: str, body: str
) -> str:
    """The page of a document, whole in one file, from what an engine has made of its body.

    Parameters
    ----------
    document : Document
        Gives title, date and figures.
    look : Brand
        Colours, fonts and name.
    formats : sequence of str
        What else is made, for the page's links.
    contents, body : str
        HTML of the list of contents and of the text, figures still under their paths.
    """
    from markupsafe import Markup

    for path, data in document.files.items():
        body = body.replace(f'src="{path}"', f'src="{_data_uri(path, data)}"')
    links = list(document.links)
    if "pdf" in formats:
        links.append(("Download as PDF", f"{document.name}.pdf"))
    return page(
        "page.html",
        look,
        lang=document.lang,
        title=document.title,
        subtitle=document.subtitle,
        date=document.date,
        long_date=document.long_date,
        edition=document.edition,
        links=links,
        contents=Markup(contents.strip()),
        body=Markup(body.strip()),
    )


def sizes(document: Document) -> dict[str, dict[str, str]]:
    """Width and height in pixels of every figure of a document, by its path."""
    return {path: _size(path, content) for path, content in document.files.items()}


def write_typst_template(folder: Path, look: Brand) -> None:
    """Write what :func:`typst_head` imports into the root of a Typst project."""
    (folder / "brand.typ").write_text(_brand_in_typst(look), encoding="utf-8")
    template = (TEMPLATES / "document.typ").read_text(encoding="utf-8")
    (folder / "document.typ").write_text(template, encoding="utf-8")


def typst_head(document: Document) -> str:
    """Typst that puts what follows it under the document's title."""
    subtitle, edition = (
        _typst_string(text) if text else "none" for text in (document.subtitle, document.edition)
    )
    return (
        '#import "/document.typ": *\n'
        f"#show: briefing.with(title: {_typst_string(document.title)}, "
        f"subtitle: {subtitle}, edition: {edition}, "
        f"date: {_typst_string(document.long_date)}, "
        f"lang: {_typst_string(document.lang)})\n\n"
    )


_FONTS: dict[str, typst.Fonts] = {}


def _fonts(look: Brand) -> typst.Fonts:
    """The project's fonts for Typst; making the object costs more than a short document."""
    import typst

    key = repr(look)
    if key not in _FONTS:
        folders = sorted({str(file.parent) for *_, file in look.faces})
        _FONTS[key] = typst.Fonts(include_system_fonts=False, font_paths=folders)
    return _FONTS[key]


@lru_cache(maxsize=4)
def _coverage(files: tuple[Path, ...]) -> frozenset[int]:
    """Characters that every one of some fonts can show."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    return frozenset.intersection(
        *(frozenset(TTFont(file, lazy=True).getBestCmap()) for file in files)
    )


def glyphs(look: Brand) -> frozenset[int]:
    """Characters that the brand's text face can show, in each of its styles."""
    return _coverage(tuple(file for family, *_, file in look.faces if family == look.sans))


def _with_glyphs(text: str, look: Brand) -> tuple[str, str]:
    """The text with a white square for each character that the text face cannot show.

    PDF/UA forbids characters without a glyph, and one odd name must not stop a document.
    """
    known = glyphs(look)
    missing = sorted({c for c in text if ord(c) > 127 and ord(c) not in known})
    table = {ord(c): _NO_GLYPH for c in missing}
    return text.translate(table), " ".join(f"U+{ord(c):04X}" for c in missing)


def _brand_in_typst(look: Brand) -> str:
    colours = ", ".join(f'{name}: rgb("{value}")' for name, value in look.palette.items())
    return (
        f"#let colours = ({colours})\n#let sans = {_typst_string(look.sans)}\n"
        f"#let serif = {_typst_string(look.serif)}\n"
        f"#let brand-name = {_typst_string(look.name)}\n"
    )


def _typst_string(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _data_uri(path: str, data: bytes) -> str:
    kind = "image/svg+xml" if path.endswith(".svg") else "image/png"
    return f"data:{kind};base64,{base64_text(data)}"


def _size(path: str, data: bytes) -> dict[str, str]:
    """Size of a figure on screen in pixels: as large beside the text as it is in print."""
    if path.endswith(".svg"):
        opening = data[: data.find(b">", data.find(b"<svg")) + 1].decode(errors="replace")
        found = [
            re.search(rf'\b{side}="([\d.]+)(pt|px)?"', opening) for side in ("width", "height")
        ]
        if not all(found):
            raise RenderError(f"{path} does not state its size in points")
        width, height = (float(match[1]) for match in found if match)
        scale = _POINT
    else:
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            raise RenderError(f"{path} is no PNG picture")
        width, height = struct.unpack(">II", data[16:24])
        scale = min(1.0, _COLUMN / width)
    return {"width": str(round(width * scale)), "height": str(round(height * scale))}
