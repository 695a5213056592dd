"""Briefings of twelve authorities: a plain loop of Papermill and a renderer against the batch.

Both run the same notebook in copies of the project and write the same documents. The loop is what
an analyst would write without the batch: fresh processes for each authority, one after another
(and two at a time). The ratios are of wall time in one run; CPU seconds stand beside them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from evidence.literature import read_places
from evidence.project import Project

ROOT = Path(__file__).resolve().parents[1]
NUMBER = int(os.environ.get("EVIDENCE_BENCH_AUTHORITIES", "12"))

RENDER = """
import sys
from pathlib import Path
import nbformat
from evidence.briefing import briefing_data
from evidence.project import Project
from evidence.publish.render import prepare, renderer
code, format = sys.argv[1:]
project = Project(Path.cwd())
edition = project.edition()
data = briefing_data(code, edition.id, project=project)
document = prepare(
    nbformat.read(f"build/{code}.ipynb", as_version=4),
    name=code, title=data.title, subtitle=data.subtitle, lang="en-GB", date=edition.date,
    bibliography=data.bibliography,
)
(made,) = renderer("embedded", project).render([document], [format], Path("out"))
if made.error:
    sys.exit(made.error)
"""


def copy(folder: Path, name: str) -> Path:
    """A copy of the project with nothing built."""
    root = folder / name
    for part in ("literature", "notebooks", "reports"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("_site", ".*"))
    for part in ("_quarto.yml", "uv.lock"):
        shutil.copy(ROOT / part, root / part)
    (root / "build").mkdir()
    return root


def run(root: Path, *command: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:200]} failed:\n{done.stdout}{done.stderr}")


def one(root: Path, code: str, edition: str) -> None:
    """One authority as a loop in a shell would make it."""
    run(
        root / "notebooks", sys.executable, "-m", "papermill", "--no-progress-bar",
        "briefing.ipynb", f"../build/{code}.ipynb", "-p", "authority", code,
        "-p", "edition", edition,
    )  # fmt: skip
    for format in ("html", "pdf"):
        run(root, sys.executable, "-c", RENDER, code, format)


def loop(root: Path, codes: list[str], edition: str, workers: int) -> None:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda code: one(root, code, edition), codes))


def batch(root: Path, codes: list[str], *options: str) -> None:
    run(root, str(Path(sys.executable).with_name("evidence")), "briefings", *codes,
        "--engine", "embedded", *options)  # fmt: skip


def measured(work: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """Wall and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    work(*arguments)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    project = Project(ROOT)
    areas = read_places(project).areas
    everyone = sorted(areas.loc[areas["kind"] == "authority", "area_code"])
    codes = everyone[:: max(1, len(everyone) // NUMBER)][:NUMBER]
    edition = project.edition().id
    with tempfile.TemporaryDirectory(prefix="bench ") as name:
        folder = Path(name)
        alone, pair, ours = (copy(folder, part) for part in ("alone", "pair", "ours"))
        rows = {
            "loop, one at a time": measured(loop, alone, codes, edition, 1),
            "loop, two at a time": measured(loop, pair, codes, edition, 2),
            "batch, from nothing": measured(batch, ours, codes),
            "batch, nothing changed": measured(batch, ours, codes),
        }
    first = rows["loop, one at a time"][0]
    print(f"{len(codes)} authorities, HTML and PDF, {os.cpu_count()} cores")
    print(f"{'':24} {'wall s':>8} {'CPU s':>8} {'times faster':>13}")
    for label, (wall, cpu) in rows.items():
        print(f"{label:24} {wall:8.1f} {cpu:8.1f} {first / wall:13.1f}")
    print(json.dumps({label: [round(v, 2) for v in values] for label, values in rows.items()}))


if __name__ == "__main__":
    main()
