"""Rendering with Quarto, where it is installed: one process for many documents.

Each document becomes one input of a project of its own in a temporary folder, once for each format
and without anything to execute. Quarto reads it, runs the dialect's filters and sets it with its
Typst; the frame of a page is the same as in the embedded engine, so that an edition looks the same
wherever it is made.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path

import yaml

from evidence.errors import RenderError, UsageError
from evidence.facts import md
from evidence.files import write_atomically
from evidence.plots.style import brand
from evidence.project import Project
from evidence.publish.render.document import Document, Rendered, check_request
from evidence.publish.render.embedded import (
    framed,
    glyphs,
    sizes,
    typst_head,
    write_typst_template,
)
from evidence.publish.render.web import TEMPLATES

OLDEST = (1, 9)
"""The first version that writes tagged PDF files (PDF/UA-1)."""

_FILTERS = TEMPLATES.parent / "filters"

# Quarto must leave the page's text as the filters wrote it; the comments say where it stands.
_BEGINS = "<!--| quarto-html-table-processing: none -->\n<!-- evidence: contents -->\n"
_TURNS = "\n<!-- evidence: text -->\n"
_ENDS = "\n<!-- evidence: end -->\n"
_TEXT = re.compile(
    "<!-- evidence: contents -->(.*)<!-- evidence: text -->(.*)<!-- evidence: end -->", re.DOTALL
)

# Seconds that a process may take, and how many more for each input; one takes about one.
_PATIENCE = (120, 60)

_PROGRESS = re.compile(r"^\[ *\d+/\d+\] +(\S+\.md)\s*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@lru_cache(maxsize=4)
def version_of(program: str) -> str:
    """What a Quarto program says its version is, for example ``"1.10.18"``.

    Raises
    ------
    UsageError
        If it does not start, or answers with something else.
    """
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=60, check=True
        )
        answer = done.stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(
            f"{program} does not start ({error}): mend or remove it, or use --engine embedded."
        ) from error
    if not re.match(r"\d+\.\d+", answer):
        raise UsageError(
            f"{program} --version answers {answer[:60]!r}, so it is not Quarto: put Quarto before "
            "it on PATH, or use --engine embedded."
        )
    return answer


def find() -> str:
    """Path of a Quarto on PATH that is new enough.

    Raises
    ------
    UsageError
        If there is none, or it is too old; the message says what to do.
    """
    program = shutil.which("quarto")
    needed = ".".join(map(str, OLDEST))
    if program is None:
        raise UsageError(
            f"Quarto is not on PATH: install Quarto {needed} or later (https://quarto.org; conda: "
            "environment.yml brings it), or use --engine embedded, which needs nothing else."
        )
    version = version_of(program)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise UsageError(
            f"Quarto {version} ({program}) is too old: it cannot write accessible PDF files. "
            f"Install Quarto {needed} or later, or use --engine embedded."
        )
    return program


# Compared by identity: a document holds what cannot be hashed.
@dataclass(frozen=True, eq=False)
class _Unit:
    """One document in one format: one input of the Quarto project."""

    document: Document
    format: str

    def name(self, position: int) -> str:
        return f"{position:04d}-{self.document.name}"


class QuartoRenderer:
    """The engine that renders with Quarto.

    Parameters
    ----------
    project : Project
        Gives brand, fonts and citation style.

    Raises
    ------
    UsageError
        If there is no Quarto on PATH or it is too old.
    """

    name = "quarto"
    chunk = 12

    def __init__(self, project: Project) -> None:
        self.program = find()
        self.project = project
        self.brand = brand(project)
        self.csl = project.reports / "evidence.csl"

    @property
    def version(self) -> str:
        """Engine and tools with their versions, for fingerprints."""
        return f"quarto {version_of(self.program)}"

    def render(
        self, documents: Sequence[Document], formats: Sequence[str], out: Path
    ) -> list[Rendered]:
        """Render documents into a folder with one process; a failure leaves the others alone.

        Quarto stops at the first document that fails. That one is then tried alone, so that its
        fault is its own, and another process does the rest.

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
        units = [_Unit(document, wanted) for document in documents for wanted in formats]
        results: dict[tuple[str, str], Rendered] = {}
        fit = []
        for unit in units:
            try:
                sizes(unit.document)
            except RenderError as error:
                results[unit.document.name, unit.format] = _failed(unit, error)
            else:
                fit.append(unit)
        # The date inside PDF files comes from the environment of the process.
        dated = sorted(fit, key=lambda unit: unit.document.date)
        for date, group in groupby(dated, key=lambda unit: unit.document.date):
            for unit, outcome in self._units(list(group), date).items():
                results[unit.document.name, unit.format] = self._finish(unit, outcome, formats, out)
        return [results[unit.document.name, unit.format] for unit in units]

    def _units(
        self, waiting: list[_Unit], date: dt.date
    ) -> dict[_Unit, tuple[bytes, str] | RenderError]:
        """Content and log of every unit, or what is wrong with it."""
        outcomes: dict[_Unit, tuple[bytes, str] | RenderError] = {}
        while waiting:
            made, said = self._quarto(waiting, date)
            outcomes |= made
            rest = [unit for unit in waiting if unit not in made]
            if len(waiting) == 1 and rest:
                outcomes[rest[0]] = RenderError(_reason(said))
                break
            if rest:
                outcomes |= self._units(rest[:1], date)
            waiting = rest[1:]
        return outcomes

    def _finish(
        self,
        unit: _Unit,
        outcome: tuple[bytes, str] | RenderError,
        formats: Sequence[str],
        out: Path,
    ) -> Rendered:
        """Check what Quarto made, put it into its frame, and write it."""
        name = unit.document.name
        try:
            if isinstance(outcome, RenderError):
                raise outcome
            content, log = outcome
            if unit.format == "html":
                found = _TEXT.search(content.decode("utf-8"))
                if found is None:
                    raise RenderError("the page does not hold the text that the filter wrote")
                page = framed(unit.document, self.brand, formats, found[1], found[2])
                main = page[page.index("<main") : page.rindex("</main>")]
                if faults := _faults(unit.document, main):
                    raise RenderError("; ".join(faults))
                content = page.encode("utf-8")
            elif not content.startswith(b"%PDF-"):
                raise RenderError("the file is no PDF")
            path = write_atomically(out / f"{name}.{unit.format}", content)
        except (RenderError, OSError, UnicodeDecodeError) as error:
            return _failed(unit, error)
        return Rendered(name, unit.format, path, log)

    def _quarto(
        self, units: Sequence[_Unit], date: dt.date
    ) -> tuple[dict[_Unit, tuple[bytes, str]], str]:
        """Run one process on a fresh project of some units; what it made, and all it said."""
        with tempfile.TemporaryDirectory(prefix="evidence-quarto-") as name:
            folder = Path(name).resolve()
            stems = [unit.name(position) for position, unit in enumerate(units)]
            self._write_project(folder, [f"{stem}.md" for stem in stems])
            for stem, unit in zip(stems, units, strict=True):
                self._write_unit(folder, stem, unit)
            code, log = _call([self.program, "render", str(folder)], folder, date, len(units))
            begun, logs = _split(log, stems)
            made = {}
            for stem, unit in zip(stems, units, strict=True):
                path = folder / f"{stem}.{unit.format}"
                # Where it stopped, the last one named was under way, and its file may be half done.
                done = code == 0 or (stem in begun and stem != begun[-1])
                if done and path.is_file():
                    made[unit] = path.read_bytes(), logs.get(stem, log if code == 0 else "")
            return made, log

    def _write_project(self, folder: Path, inputs: Sequence[str]) -> None:
        fonts = folder / "fonts"
        fonts.mkdir()
        for *_, file in self.brand.faces:
            shutil.copy(file, fonts / file.name)
        write_typst_template(folder, self.brand)
        (folder / "body.typ").write_text("$body$\n", encoding="utf-8")
        shutil.copy(_FILTERS / "quarto.lua", folder / "quarto.lua")
        settings = {
            "project": {"type": "default", "render": list(inputs)},
            "execute": {"enabled": False},
            # The filter has numbered and cited before Quarto would.
            "citeproc": False,
            "number-sections": False,
            "html-table-processing": "none",
            "filters": [{"at": "pre-ast", "path": "quarto.lua"}],
            "format": {
                "html": {
                    "theme": "none",
                    "minimal": True,
                    "toc": False,
                    "code-copy": False,
                    "anchor-sections": False,
                    "embed-resources": False,
                },
                "typst": {
                    "template": "body.typ",
                    "font-paths": ["fonts"],
                    "pdf-standard": "ua-1",
                    "shift-heading-level-by": 0,
                },
            },
        }
        text = yaml.safe_dump(settings, sort_keys=False)
        (folder / "_quarto.yml").write_text(text, encoding="utf-8")

    def _write_unit(self, folder: Path, stem: str, unit: _Unit) -> None:
        document = unit.document
        own = folder / stem
        settings: dict[str, object] = {
            "format": unit.format,
            "lang": document.lang,
            "filters": str(_FILTERS),
        }
        if document.bibliography:
            own.mkdir(exist_ok=True)
            works = own / "works.json"
            works.write_text(json.dumps(list(document.bibliography)), encoding="utf-8")
            settings |= {"works": str(works), "csl": str(self.csl)}
        if unit.format == "html":
            settings |= {
                "sizes": sizes(document),
                "begins": _BEGINS,
                "turns": _TURNS,
                "ends": _ENDS,
            }
        else:
            for path, data in document.files.items():
                target = own / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            known = sorted(glyphs(self.brand))
            settings |= {
                "folder": f"{stem}/",
                "head": typst_head(document),
                "glyphs": _ranges(known),
            }
        front = {
            "title": md(document.title),
            "lang": document.lang,
            "format": {"html": "html", "pdf": "typst"}[unit.format],
        }
        # What comes from data must not begin a shortcode or end the comment.
        hidden = json.dumps(settings).replace("{{", "\\u007b\\u007b").replace(">", "\\u003e")
        (folder / f"{stem}.md").write_text(
            f"---\n{yaml.safe_dump(front, allow_unicode=True, width=10_000)}---\n\n"
            f"```{{=html}}\n<!-- evidence {hidden} -->\n```\n\n{document.body}",
            encoding="utf-8",
        )


def _failed(unit: _Unit, error: Exception) -> Rendered:
    name = unit.document.name
    return Rendered(name, unit.format, None, error=f"{name}: Quarto failed: {error}")


def _call(command: Sequence[str], folder: Path, date: dt.date, units: int) -> tuple[int, str]:
    """Run Quarto; returns its exit code (or -1) and all it said, without colours."""
    midnight = dt.datetime.combine(date, dt.time(), dt.UTC)
    # What a Quarto around this process has set is none of the new one's business.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("QUARTO_PROFILE", "QUARTO_PROJECT_DIR", "QUARTO_PROJECT_OUTPUT_DIR")
    }
    environment |= {
        "SOURCE_DATE_EPOCH": str(int(midnight.timestamp())),
        "NO_COLOR": "1",
        "DENO_NO_UPDATE_CHECK": "1",
    }
    first, each = _PATIENCE
    seconds = first + each * units
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
        code = process.returncode
    except subprocess.TimeoutExpired:
        _end(process)
        output, _ = process.communicate()
        output += f"\nERROR: it took longer than {seconds} seconds\n".encode()
        code = -1
    except BaseException:
        _end(process)
        raise
    text = output.decode("utf-8", errors="replace").replace("\r", "\n")
    return code, _COLOUR.sub("", text).strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End Quarto and what it has started (Deno, pandoc, Typst)."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _split(log: str, stems: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Which inputs Quarto said it had begun, in that order, and what it said of each."""
    known = set(stems)
    pieces = _PROGRESS.split(log)
    begun: list[str] = []
    logs: dict[str, str] = {}
    for path, said in zip(pieces[1::2], pieces[2::2], strict=True):
        stem = Path(path).stem
        if stem in known:
            begun.append(stem)
            logs[stem] = said.strip()
    return begun, logs


def _reason(log: str) -> str:
    """The line that says what went wrong, and below it all that was said."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(ERROR|error)\b:?\s*\S", line)]
    first = (telling or lines or ["it made no file and said nothing"])[0]
    return f"{first}\n{log}" if len(lines) > 1 else first


class _Seen(HTMLParser):
    """What stands in the text of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.figures = 0
        self.tables = 0
        self.facts: set[str] = set()
        self.faults: list[str] = []
        self.heads = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self.figures += 1
            if not given.get("alt", "").strip():
                self.faults.append("a figure has no alternative text")
        elif tag == "table":
            self.tables += 1
        elif tag == "th" and given.get("scope") == "col":
            self.heads += 1
        if "data-fact" in given:
            self.facts.add(given["data-fact"])
        loads = [given[name] for name in ("src", "srcset", "poster", "data") if name in given]
        if tag in ("script", "link", "iframe", "object", "style") or any(
            not address.startswith("data:") for address in loads
        ):
            self.faults.append(f"it holds <{tag}> {' '.join(loads)[:60]}".rstrip())


def _faults(document: Document, body: str) -> list[str]:
    """What the text of a page has lost of its document, or gained beside it."""
    seen = _Seen()
    seen.feed(body)
    seen.close()
    faults = list(dict.fromkeys(seen.faults))
    if seen.figures != len(document.files):
        faults.append(f"{seen.figures} of {len(document.files)} figures are on the page")
    wanted = len(re.findall(r'^<table class="evidence"', document.body, re.MULTILINE))
    if seen.tables != wanted or seen.heads < wanted:
        faults.append(f"{seen.tables} of {wanted} tables are on the page with their headings")
    facts = set(re.findall(r'\bfact="([0-9a-f]+)"', document.body))
    if lost := facts - seen.facts:
        faults.append(f"{len(lost)} facts have lost their marks")
    return faults


def _ranges(codes: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1] = runs[-1][0], code
        else:
            runs.append((code, code))
    return runs
