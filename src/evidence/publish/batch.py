"""Make briefings for many authorities: each on its own, all at once, none lost to another's fault.

The state of a batch is the files that it wrote: each document stands beside a fingerprint of what
it was made from, and every file is written atomically. A run that was killed goes on where it
stopped, because what is right already is kept.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

from evidence.errors import DataError, RenderError
from evidence.facts import Fact
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
from evidence.publish.render import Document, Renderer, prepare, renderer

Format = Literal["html", "pdf"]
FORMATS: tuple[Format, ...] = ("html", "pdf")


class DocumentData(Protocol):
    """What a document needs beside its notebook; the notebook makes the same data again."""

    @property
    def title(self) -> str:
        """Title of the document."""
        ...

    @property
    def subtitle(self) -> str:
        """Line under the title."""
        ...

    @property
    def bibliography(self) -> Sequence[Mapping[str, Any]]:
        """CSL-JSON of what it may cite."""
        ...

    @property
    def facts(self) -> Sequence[Fact]:
        """Every fact it may show."""
        ...

    def facts_json(self) -> str:
        """The facts as they are published."""
        ...

    def to_json(self) -> str:
        """Everything the document depends on, for its fingerprint."""
        ...


@dataclass(frozen=True)
class Kind:
    """One kind of document: its notebook, and where its data come from.

    Attributes
    ----------
    name : str
        For fingerprints.
    notebook : str
        File in ``notebooks``.
    begin : callable
        Does once for a run what all its documents share.
    data : callable
        Called as ``data(code, edition, project=project)``. Both are module-level functions, so
        that they can go to another process.
    """

    name: str
    notebook: str
    begin: Callable[[Project, Callable[[str], None]], None]
    data: Callable[..., DocumentData]


def _begin_briefings(project: Project, on_step: Callable[[str], None]) -> None:
    from evidence.briefing import evidence_pack
    from evidence.briefing.local import local_data
    from evidence.literature import check, connect

    on_step("Checking the literature and the places")
    if faults := check(project):
        raise DataError(faults)
    on_step("Synthesising the evidence")
    evidence_pack(project)
    # After the synthesis, whose results it holds too; built only where anything has changed.
    connect(project).close()
    on_step("Comparing all authorities")
    # Before the workers begin, so that none of them, and no kernel, does it again.
    local_data(project)


def _briefing_data(code: str, edition: str, project: Project) -> DocumentData:
    from evidence.briefing import briefing_data

    data: DocumentData = briefing_data(code, edition, project=project)
    return data


BRIEFING = Kind("briefing", "briefing.ipynb", _begin_briefings, _briefing_data)
"""The briefing of one authority."""


@dataclass(frozen=True)
class Task:
    """One briefing to make; plain data, so that it can go to another process.

    Attributes
    ----------
    kind : Kind
        What is made.
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
    force : bool
        Whether it is made also where it is right already.
    timeout : float
        Seconds that one cell of the notebook may take.
    """

    kind: Kind
    root: Path
    code: str
    name: str
    parameters: Mapping[str, Any]
    formats: tuple[Format, ...]
    engine: str
    force: bool
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


@dataclass(frozen=True)
class _Ready:
    """A briefing whose notebook has run, ready to be rendered."""

    task: Task
    document: Document
    formats: tuple[Format, ...]
    facts: str
    fingerprint: Mapping[str, str]
    reason: str
    seconds: float


def make_briefings(tasks: Sequence[Task]) -> list[Outcome]:
    """Make some briefings of one engine, or find them right; never raises for one's fault.

    They are run one after another and rendered together, because an engine may need one process
    for all of them. A failure removes the authority's older documents, so that a site never mixes
    what is right with what is stale, and leaves the executed notebook and a log in ``build``.
    """
    outcomes: list[Outcome] = []
    ready: list[_Ready] = []
    for task in tasks:
        begin = time.perf_counter()
        try:
            made = _prepare(Project(task.root), task)
        except Exception as error:
            outcomes.append(_failed_by(task, error, time.perf_counter() - begin))
        else:
            if made is None:
                outcomes.append(_right(task, "kept", time.perf_counter() - begin))
            else:
                ready.append(made)
    # Mostly all are made in the same formats.
    for formats in dict.fromkeys(item.formats for item in ready):
        outcomes += _render([item for item in ready if item.formats == formats], formats)
    return outcomes


def _render(ready: Sequence[_Ready], formats: tuple[Format, ...]) -> list[Outcome]:
    task = ready[0].task
    project = Project(task.root)
    begin = time.perf_counter()
    try:
        rendered = _renderer(task.root, task.engine).render(
            [item.document for item in ready], formats, project.site / "authorities"
        )
    except Exception as error:
        if len(ready) > 1:
            return [outcome for item in ready for outcome in _render([item], formats)]
        return [_failed_by(task, error, ready[0].seconds)]
    each = (time.perf_counter() - begin) / len(ready)
    outcomes = []
    for item in ready:
        seconds = item.seconds + each
        errors = [
            f"{result.format}: {result.error}"
            for result in rendered
            if result.document == item.document.name and result.error
        ]
        try:
            if errors:
                raise RenderError("; ".join(errors))
            there = output_paths(project, item.task.code, FORMATS)
            write_atomically(there["facts"], item.facts)
            write_atomically(
                _fingerprint_path(project, item.task.code),
                fingerprint_json(item.fingerprint, [there[name] for name in (*formats, "facts")]),
            )
        except Exception as error:
            outcomes.append(_failed_by(item.task, error, seconds))
        else:
            outcomes.append(_right(item.task, "made", seconds, item.reason))
    return outcomes


def _right(
    task: Task, status: Literal["made", "kept"], seconds: float, reason: str = ""
) -> Outcome:
    _log_path(Project(task.root), task.code).unlink(missing_ok=True)
    return Outcome(task.code, task.name, status, seconds, reason)


def _failed_by(task: Task, error: Exception, seconds: float) -> Outcome:
    detail = getattr(error, "traceback", "") or "".join(traceback.format_exception(error))
    message = _first_line(error)
    if not isinstance(error, NotebookError | RenderError):
        message = f"{type(error).__name__}: {message}"
    return _failed(task, message, f"{error}\n\n{detail}", seconds)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _failed(task: Task, message: str, detail: str, seconds: float = 0.0) -> Outcome:
    project = Project(task.root)
    for path in output_paths(project, task.code, FORMATS).values():
        path.unlink(missing_ok=True)
    _fingerprint_path(project, task.code).unlink(missing_ok=True)
    log = write_atomically(
        _log_path(project, task.code), f"{task.code} {task.name}\n{detail.strip()}\n"
    )
    return Outcome(task.code, task.name, "failed", seconds, message, log)


def _prepare(project: Project, task: Task) -> _Ready | None:
    """Run the notebook of what is stale; returns nothing where it is right already."""
    begin = time.perf_counter()
    source = project.notebooks / task.kind.notebook
    edition = project.edition()
    engine = _renderer(task.root, task.engine)
    data = task.kind.data(task.code, edition.id, project=project)
    now = fingerprint(
        project,
        kind=task.kind.name,
        notebook=source,
        # The edition's date and seed are printed or used too, not its name alone.
        parameters={**task.parameters, "date": str(edition.date), "seed": edition.seed},
        data=json.loads(data.to_json()),
        engine=engine.name,
        engine_version=engine.version,
    )
    asked = output_paths(project, task.code, task.formats)
    old = read_fingerprint(_fingerprint_path(project, task.code), asked.values())
    reasons = why_stale(old, now)
    if not reasons and not task.force:
        return None
    # What lies there in another format would be stale beside the new: it is made anew too.
    there = output_paths(project, task.code, FORMATS)
    formats = tuple(name for name in FORMATS if name in task.formats or there[name].exists())
    notebook = execute(
        source,
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
        date=edition.date,
        edition=edition.id,
        bibliography=data.bibliography,
        facts=data.facts,
        links=[
            ("All authorities", "../index.html"),
            ("Numbers and their sources", there["facts"].name),
        ],
    )
    return _Ready(
        task,
        document,
        formats,
        data.facts_json(),
        now,
        "; ".join(reasons) or "asked for",
        time.perf_counter() - begin,
    )


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
    kind: Kind = BRIEFING,
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
        Processes; by default one more than there are cores.
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
    kind : Kind
        What is made.

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
    chosen = renderer(engine, project, on_step)
    with run_lock(project.build / "run.lock"):
        _sweep(project)
        kind.begin(project, on_step)
        parameters = {"edition": project.edition().id, "assumptions": {}}
        tasks = [
            Task(kind, project.root, code, name, {"authority": code, **parameters},
                 tuple(formats), chosen.name, force, timeout)
            for code, name in codes.items()
        ]  # fmt: skip
        on_step(f"Making {len(tasks)} briefing{'' if len(tasks) == 1 else 's'}")
        try:
            # One worker more than cores: each waits for its kernel now and then.
            for outcome in run_tasks(tasks, workers or (os.cpu_count() or 1) + 1, chosen.chunk):
                result.outcomes.append(outcome)
                on_outcome(outcome)
        finally:
            _sweep(project)
        result.seconds = time.perf_counter() - begin
    return result


def _sweep(project: Project) -> None:
    """Remove half-written files of processes that were killed; the lock says that none writes."""
    for folder in (project.build / "notebooks", project.site / "authorities"):
        for path in folder.glob(".*"):
            path.unlink()


def run_tasks(
    tasks: Sequence[Task],
    workers: int,
    chunk: int = 1,
    make: Callable[[Sequence[Task]], list[Outcome]] = make_briefings,
) -> Iterator[Outcome]:
    """Run tasks in local processes, at most ``chunk`` at once in each, and yield the outcomes.

    A worker process that dies takes its pool with it. What was under way is then tried once more,
    each task alone, so that only the one at fault is reported as failed; the others go on.
    """
    # No larger than leaves work for every worker.
    size = max(1, min(chunk, len(tasks) // workers))
    waiting = deque(tasks[start : start + size] for start in range(0, len(tasks), size))
    while waiting:
        running: dict[Future[list[Outcome]], Sequence[Task]] = {}
        try:
            with _pool(min(workers, len(waiting))) as pool:
                while waiting or running:
                    # No more than there are workers, so that it is known what was under way.
                    while waiting and len(running) < workers:
                        running[pool.submit(make, waiting[0])] = waiting[0]
                        waiting.popleft()
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcomes = future.result()
                        del running[future]
                        yield from outcomes
        except BrokenProcessPool:
            for group in running.values():
                for task in group:
                    yield _alone(task, make)


def _alone(task: Task, make: Callable[[Sequence[Task]], list[Outcome]]) -> Outcome:
    begin = time.perf_counter()
    try:
        with _pool(1) as pool:
            return pool.submit(make, [task]).result()[0]
    except BrokenProcessPool as error:
        message = "its process died, perhaps for want of memory"
        return _failed(task, message, f"{message}\n{error}", time.perf_counter() - begin)


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    others = set(multiprocessing.active_children())
    # Spawned, not forked: a fork would inherit threads and locks of the parent.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        yield pool
    except BaseException:
        # Ctrl-C or an error: files are written atomically, so work under way can be dropped.
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Set up a worker process; the kernels that it starts inherit its environment."""
    # Processes share the cores; threads inside each would only fight for them.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # Whatever the user draws with, a kernel shows figures in its notebook.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    # Ctrl-C is for the parent, which then stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
