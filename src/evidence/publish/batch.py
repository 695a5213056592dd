"""Make briefings for many authorities: each on its own, all at once, none lost to another's fault.

The state of a batch is the files that it wrote: each document stands beside a fingerprint of what
it was made from, and every file is written atomically. A run that was killed goes on where it
stopped, because what is right already is kept.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from evidence.briefing import BriefingData, briefing_data, evidence_pack
from evidence.errors import RenderError
from evidence.files import write_atomically
from evidence.project import Project
from evidence.publish.execute import NotebookError, execute
from evidence.publish.fingerprint import (
    fingerprint,
    fingerprint_json,
    read_fingerprint,
    why_stale,
)
from evidence.publish.lock import run_lock
from evidence.publish.render import Renderer, prepare, renderer

Format = Literal["html", "pdf"]
FORMATS: tuple[Format, ...] = ("html", "pdf")


@dataclass(frozen=True)
class Task:
    """One briefing to make; plain data, so that it can go to another process.

    Attributes
    ----------
    root : pathlib.Path
        The project's folder.
    code, name : str
        The authority.
    parameters : mapping
        What the notebook is run with.
    formats : tuple of str
        ``"html"``, ``"pdf"`` or both.
    engine : str
        Name of the renderer.
    fingerprint : mapping
        Of the inputs, stored when the documents are written.
    timeout : float
        Seconds that one cell of the notebook may take.
    """

    root: Path
    code: str
    name: str
    parameters: Mapping[str, Any]
    formats: tuple[Format, ...]
    engine: str
    fingerprint: Mapping[str, str]
    timeout: float


@dataclass(frozen=True)
class Outcome:
    """What became of one briefing.

    Attributes
    ----------
    code, name : str
        The authority.
    status : str
        ``"made"``, ``"kept"`` (it was right already) or ``"failed"``.
    seconds : float
        Wall time it took.
    message : str
        Why it was made, or why it failed.
    log : pathlib.Path or None
        Where a failure is told in full.
    """

    code: str
    name: str
    status: Literal["made", "kept", "failed"]
    seconds: float = 0.0
    message: str = ""
    log: Path | None = None


@dataclass
class BatchResult:
    """All outcomes of a run, and its wall time in seconds."""

    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    def with_status(self, status: str) -> list[Outcome]:
        """Outcomes of one status, sorted by authority code."""
        return sorted((o for o in self.outcomes if o.status == status), key=lambda o: o.code)

    @property
    def ok(self) -> bool:
        """Whether no briefing failed."""
        return not self.with_status("failed")


def output_paths(project: Project, code: str, formats: Sequence[str]) -> dict[str, Path]:
    """Where the documents of an authority go (interface J).

    Returns
    -------
    dict
        From ``"html"``, ``"pdf"`` and ``"facts"`` to a path.
    """
    folder = project.site / "authorities"
    paths = {name: folder / f"{code}.{name}" for name in formats}
    return {**paths, "facts": folder / f"{code}.facts.json"}


def _fingerprint_path(project: Project, code: str) -> Path:
    return project.build / "fingerprints" / f"{code}.fingerprint.json"


def _log_path(project: Project, code: str) -> Path:
    return project.build / "logs" / f"{code}.log"


@cache
def _renderer(root: Path, engine: str) -> Renderer:
    """One renderer for the life of a process: its fonts and templates are read once."""
    return renderer(engine, Project(root))


def make_briefing(task: Task) -> Outcome:
    """Make one briefing; never raises for what is wrong with it alone.

    A failure removes the authority's older documents, so that a site never mixes what is right
    with what is stale, and leaves the executed notebook and a log in ``build``.
    """
    project = Project(task.root)
    begin = time.perf_counter()
    log = _log_path(project, task.code)
    paths = output_paths(project, task.code, task.formats)
    try:
        data = briefing_data(task.code, task.parameters["edition"], project=project)
        _write_documents(project, task, data, paths)
    except Exception as error:
        for path in [*output_paths(project, task.code, FORMATS).values()]:
            path.unlink(missing_ok=True)
        _fingerprint_path(project, task.code).unlink(missing_ok=True)
        detail = getattr(error, "traceback", "") or traceback.format_exc()
        write_atomically(log, f"{task.code} {task.name}\n{error}\n\n{detail}\n")
        seconds = time.perf_counter() - begin
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if not isinstance(error, NotebookError | RenderError):
            reason = f"{type(error).__name__}: {reason}"
        return Outcome(task.code, task.name, "failed", seconds, reason, log)
    log.unlink(missing_ok=True)
    return Outcome(task.code, task.name, "made", time.perf_counter() - begin)


def _write_documents(
    project: Project, task: Task, data: BriefingData, paths: Mapping[str, Path]
) -> None:
    notebook = execute(
        project.notebooks / "briefing.ipynb",
        task.parameters,
        out=project.build / "notebooks" / f"{task.code}.ipynb",
        folder=project.notebooks,
        timeout=task.timeout,
    )
    document = prepare(
        notebook,
        name=task.code,
        title=data.title,
        subtitle=data.subtitle,
        lang="en-GB",
        date=project.edition().date,
        bibliography=data.bibliography,
        facts=data.facts,
    )
    engine = _renderer(task.root, task.engine)
    rendered = engine.render([document], task.formats, project.site / "authorities")
    errors = [f"{item.format}: {item.error}" for item in rendered if item.error]
    if errors:
        raise RenderError("; ".join(errors))
    write_atomically(paths["facts"], data.facts_json())
    write_atomically(
        _fingerprint_path(project, task.code),
        fingerprint_json(task.fingerprint, [paths[name] for name in (*task.formats, "facts")]),
    )


def plan(
    project: Project,
    codes: Mapping[str, str],
    *,
    formats: Sequence[Format] = FORMATS,
    engine: str = "auto",
    force: bool = False,
    timeout: float = 300.0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Task], list[Outcome]]:
    """Find out which briefings must be made, and which are right already.

    Parameters
    ----------
    project : Project
        The project.
    codes : mapping
        From authority code to name.
    formats, engine, force, timeout
        As in :func:`run_batch`.
    progress : callable
        Called with the authority's code when its data are ready.

    Returns
    -------
    tasks : list of Task
        To be made.
    kept : list of Outcome
        Right already.
    """
    edition = project.edition()
    chosen = renderer(engine, project)
    tasks: list[Task] = []
    kept: list[Outcome] = []
    wanted = tuple(formats)
    for code, name in codes.items():
        parameters = {"authority": code, "edition": edition.id, "assumptions": {}}
        data = briefing_data(code, edition.id, project=project)
        now = fingerprint(
            project,
            kind="briefing",
            notebook=project.notebooks / "briefing.ipynb",
            # The edition's date and seed are printed or used too, not its name alone.
            parameters={**parameters, "date": str(edition.date), "seed": edition.seed},
            data=json.loads(data.to_json()),
            engine=chosen.name,
            engine_version=chosen.version,
        )
        paths = output_paths(project, code, formats)
        old = read_fingerprint(_fingerprint_path(project, code), paths.values())
        if not force and not why_stale(old, now):
            kept.append(Outcome(code, name, "kept"))
        else:
            tasks.append(
                Task(project.root, code, name, parameters, wanted, chosen.name, now, timeout)
            )
        progress(code)
    return tasks, kept


def run_batch(
    project: Project,
    codes: Mapping[str, str],
    *,
    formats: Sequence[Format] = FORMATS,
    workers: int | None = None,
    engine: str = "auto",
    force: bool = False,
    timeout: float = 300.0,
    on_step: Callable[[str], None] = lambda _: None,
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> BatchResult:
    """Make the briefings of several authorities.

    Synthesis and the figures that depend on the evidence alone are made once; each authority's
    notebook then runs in a process of its own. A failed authority is reported and the others
    finish.

    Parameters
    ----------
    project : Project
        The project.
    codes : mapping
        From authority code to name, in the order of the work.
    formats : sequence of {"html", "pdf"}
        What to write.
    workers : int, optional
        Processes; by default one for each core.
    engine : {"auto", "embedded"}
        What renders the documents.
    force : bool
        Make also what is right already.
    timeout : float
        Seconds that one cell of a notebook may take.
    on_step : callable
        Called with a sentence when a stage of the work begins.
    on_outcome : callable
        Called with each outcome as it comes.

    Returns
    -------
    BatchResult
        One outcome for each authority.

    Raises
    ------
    LockedError
        If another run is writing to the project.
    DataError
        If the literature or the places break the rules; then nothing is made.
    """
    begin = time.perf_counter()
    result = BatchResult()

    def note(outcome: Outcome) -> None:
        result.outcomes.append(outcome)
        on_outcome(outcome)

    with run_lock(project.build / "run.lock"):
        on_step("Checking the literature and the places")
        from evidence.literature import build

        build(project)
        on_step("Synthesising the evidence")
        evidence_pack(project)
        on_step("Reading each authority's data")
        tasks, kept = plan(
            project, codes, formats=formats, engine=engine, force=force, timeout=timeout
        )
        for outcome in kept:
            note(outcome)
        if tasks:
            on_step(f"Making {len(tasks)} briefing{'' if len(tasks) == 1 else 's'}")
            for outcome in run_tasks(tasks, workers or os.cpu_count() or 1):
                note(outcome)
        result.seconds = time.perf_counter() - begin
    return result


def run_tasks(
    tasks: Sequence[Task],
    workers: int,
    make: Callable[[Task], Outcome] = make_briefing,
) -> Iterator[Outcome]:
    """Run tasks in local processes and yield outcomes as they come.

    A worker process that dies takes its pool with it. What was under way is then tried once more,
    each task alone, so that only the one at fault is reported as failed.
    """
    left = {task.code: task for task in tasks}
    try:
        with _pool(min(workers, len(tasks))) as pool:
            for future in as_completed(_submit(pool, make, tasks)):
                outcome = future.result()
                del left[outcome.code]
                yield outcome
    except BrokenProcessPool:
        for task in list(left.values()):
            try:
                with _pool(1) as pool:
                    yield pool.submit(make, task).result()
            except BrokenProcessPool:
                yield Outcome(task.code, task.name, "failed", message="its process died")


def _submit(
    pool: Executor, make: Callable[[Task], Outcome], tasks: Sequence[Task]
) -> list[Future[Outcome]]:
    return [pool.submit(make, task) for task in tasks]


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    # Spawned, not forked: a fork would inherit threads and locks of the parent.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        # On Ctrl-C or an error what has not begun is not begun.
        pool.shutdown(wait=True, cancel_futures=True)
