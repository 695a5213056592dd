"""The command line: ``evidence``.

Commands say what they do on standard error; what they return goes to standard output. Exit codes:
0 all is well, 1 faults in data or failed documents, 2 wrong usage, 3 another run holds the lock.
"""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evidence.errors import (
    EXIT_FAULTS,
    EXIT_OK,
    DataError,
    EvidenceError,
    RenderError,
    UsageError,
)
from evidence.project import Project

if TYPE_CHECKING:
    from evidence.publish.batch import BatchResult, Format, Outcome

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
literature_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Check, build and read the curated literature and the places.",
)
app.add_typer(literature_app, name="literature")

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class _Settings:
    """What the options before the command say."""

    project: Path | None = None
    debug: bool = False


_settings = _Settings()

_FormatOption = Annotated[
    str, typer.Option("--format", "-f", help="What to write: html, pdf, or both as html,pdf.")
]
_EngineOption = Annotated[
    str,
    typer.Option(
        help="What renders: quarto (1.9 or later on PATH), embedded (pandoc and Typst, always "
        "there), or auto (Quarto where it is fit, else embedded). They give the same text."
    ),
]
_ForceOption = Annotated[bool, typer.Option("--force", help="Make also what is right already.")]
_TimeoutOption = Annotated[
    float, typer.Option(help="Seconds that one cell of a notebook may take.", min=1)
]


@app.callback()
def _root(
    project: Annotated[
        Path | None,
        typer.Option(
            help="The project's folder; by default the one that the working directory is in.",
            envvar="EVIDENCE_PROJECT",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Turn published prevention trials and local indicators into honest local briefings.

    Start with `evidence literature check`; then make one briefing with `evidence briefing Kent
    --open`, and all of them with `evidence briefings --all`.
    """
    _settings.project, _settings.debug = project, debug


def _project() -> Project:
    return Project.find(_settings.project)


@literature_app.command("check")
def literature_check() -> None:
    """Check every table; list each fault as file:row:column with what would be right."""
    from evidence.literature import check

    faults = check(_project())
    if faults:
        raise DataError(faults)
    _console.print("No faults.")


@literature_app.command("build")
def literature_build() -> None:
    """Check every table, then write the embedded database build/evidence.duckdb."""
    from evidence.literature import build

    project = _project()
    path = build(project)
    _console.print(f"Built {project.relative(path)}.")


@literature_app.command("show")
def literature_show(
    name: Annotated[
        str,
        typer.Argument(help="Id of a study, effect, construct or indicator, or an authority."),
    ],
) -> None:
    """Show everything known about one study, effect, construct, indicator or authority."""
    from evidence.literature import show

    typer.echo(show(name, _project()))


@app.command("sql")
def run_sql(
    query: Annotated[str, typer.Argument(help="For example: select count(*) from trials.studies")],
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, safe for spreadsheets.")] = False,
) -> None:
    """Ask the database in SQL; schemas are trials, places and results. Read-only."""
    from evidence.files import csv_text
    from evidence.literature import sql

    frame = sql(query, _project())
    typer.echo(csv_text(frame) if csv else frame.to_string(index=False), nl=not csv)


@app.command()
def briefing(
    authority: Annotated[str, typer.Argument(help="GSS code or name, such as E10000016 or Kent.")],
    format: _FormatOption = "html,pdf",
    engine: _EngineOption = "auto",
    force: _ForceOption = False,
    timeout: _TimeoutOption = 300.0,
    open_it: Annotated[
        bool, typer.Option("--open", help="Open the briefing when it is made.")
    ] = False,
) -> None:
    """Make the briefing of one authority, under reports/_site/authorities."""
    from evidence.publish.batch import output_paths

    project = _project()
    formats = _formats(format)
    code, name = _resolve(project, [authority])[0]
    result = _make(project, {code: name}, formats, 1, engine, force, timeout)
    paths = output_paths(project, code, formats)
    for kind in formats:
        if result.ok:
            typer.echo(project.relative(paths[kind]))
    if open_it and result.ok:
        webbrowser.open(paths[formats[0]].as_uri())
    raise typer.Exit(EXIT_OK if result.ok else EXIT_FAULTS)


@app.command()
def briefings(
    authorities: Annotated[
        list[str] | None, typer.Argument(help="GSS codes or names; or use --all or --region.")
    ] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Every authority.")] = False,
    region: Annotated[
        list[str] | None, typer.Option(help="Every authority of a region; may be repeated.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", help="Processes; by default one more than there are cores.", min=1
        ),
    ] = None,
    format: _FormatOption = "html,pdf",
    engine: _EngineOption = "auto",
    force: _ForceOption = False,
    timeout: _TimeoutOption = 300.0,
) -> None:
    """Make the briefings of several authorities, and the index page that finds them.

    What is right already is kept. A failed authority is reported at the end and does not stop the
    others.
    """
    project = _project()
    chosen = dict(_resolve(project, authorities or [], all_of_them, region or []))
    if not chosen:
        raise UsageError("Name at least one authority, or use --all or --region.")
    result = _make(project, chosen, _formats(format), workers, engine, force, timeout)
    raise typer.Exit(EXIT_OK if result.ok else EXIT_FAULTS)


def _formats(text: str) -> tuple[Format, ...]:
    from evidence.publish.batch import FORMATS

    asked = {part.strip().lower() for part in text.split(",")}
    unknown = asked - set(FORMATS)
    if unknown:
        raise UsageError(f"{', '.join(sorted(unknown))} is no format: use html, pdf or html,pdf.")
    return tuple(name for name in FORMATS if name in asked)


def _resolve(
    project: Project,
    names: Sequence[str],
    everything: bool = False,
    regions: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """Codes and names of the authorities asked for, sorted by code, each once."""
    from evidence.literature import read_places
    from evidence.places import authorities_of_region, authority

    places = read_places(project)
    areas = places.areas[places.areas["kind"] == "authority"].set_index("area_code")["name"]
    codes = set(areas.index) if everything else set()
    for region in regions:
        codes.update(authorities_of_region(places, region))
    codes.update(authority(places, name).code for name in names)
    return [(code, str(areas[code])) for code in sorted(codes)]


def _make(
    project: Project,
    codes: dict[str, str],
    formats: tuple[Format, ...],
    workers: int | None,
    engine: str,
    force: bool,
    timeout: float,
) -> BatchResult:
    """Run the batch with progress on the screen, write the index, and sum up."""
    from evidence.publish.batch import run_batch
    from evidence.publish.site import write_index

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    done = 0
    with Progress(*columns, console=_console, disable=not _console.is_terminal) as bar:
        task = bar.add_task("Briefings", total=len(codes))

        def on_outcome(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done, description=outcome.name)
            if outcome.status == "failed":
                _console.print(
                    f"failed: {outcome.code} {outcome.name}: {outcome.message}", markup=False
                )
            # Without a terminal there is no bar: say now and then how far it is.
            elif not _console.is_terminal and (done % 25 == 0 or done == len(codes)):
                _console.print(f"{done} of {len(codes)} briefings done")

        result = run_batch(
            project,
            codes,
            formats=formats,
            workers=workers,
            engine=engine,
            force=force,
            timeout=timeout,
            on_step=lambda text: _console.print(f"{text} ..."),
            on_outcome=on_outcome,
        )
    _sum_up(project, result)
    # Last, so that nothing that goes wrong with it hides what became of the briefings.
    try:
        index = write_index(project)
    except OSError as error:
        raise RenderError(f"the index page could not be written: {error}") from error
    _console.print(f"Index: {project.relative(index)}")
    return result


def _sum_up(project: Project, result: BatchResult) -> None:
    made, kept, failed = (result.with_status(name) for name in ("made", "kept", "failed"))
    _console.print(
        f"{len(made)} made, {len(kept)} kept, {len(failed)} failed in {result.seconds:.0f} seconds."
    )
    for outcome in failed:
        where = f" (log: {project.relative(outcome.log)})" if outcome.log else ""
        _console.print(f"  {outcome.code} {outcome.name}: {outcome.message}{where}", markup=False)


def main() -> None:
    """Run the command line; what goes wrong becomes a message and an exit code."""
    try:
        app()
    except EvidenceError as error:
        if _settings.debug:
            raise
        _console.print(str(error), markup=False)
        sys.exit(error.exit_code)
    except Exception as error:
        if _settings.debug:
            raise
        _console.print(
            f"{type(error).__name__}: {error}\nThis is a fault of the program or of its "
            "environment: run it as `evidence --debug ...` to see where.",
            markup=False,
        )
        sys.exit(EXIT_FAULTS)
