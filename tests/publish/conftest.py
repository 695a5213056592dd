"""A small project whose documents come from a notebook of its own, run in real processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evidence.project import Project

ROOT = Path(__file__).resolve().parents[2]
# So that the tests of this folder share `sample` and `structure`.
sys.path.insert(0, str(Path(__file__).parent))

# Stands for the command line in a project without literature: prints each outcome as JSON.
DRIVER = """
import json, os, sys
from pathlib import Path
from evidence.errors import EvidenceError
from evidence.project import Project
from evidence.publish.batch import Kind, run_batch

class Data:
    def __init__(self, code, root):
        self.title, self.subtitle, self.bibliography, self.facts = f"Place {code}", "", (), ()
        change = root / f"{code}.txt"
        self.text = change.read_text() if change.exists() else ""
    def facts_json(self):
        return "[]"
    def to_json(self):
        return json.dumps({"text": self.text})

def begin(project, on_step):
    on_step("begun")

def data(code, edition, project):
    if code == "worker-dies":
        os._exit(7)
    if code == "no-data":
        raise ValueError("no data for this place\\nsecond line")
    return Data(code, project.root)

if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    codes = options.pop("codes")
    show = lambda o: print(json.dumps([o.code, o.status, o.message, str(o.log or "")]), flush=True)
    try:
        result = run_batch(Project(Path.cwd()), {code: code for code in codes}, on_outcome=show,
                           on_step=lambda text: print(json.dumps(text), flush=True),
                           kind=Kind("test", "n.ipynb", begin, data), **options)
    except EvidenceError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    sys.exit(0 if result.ok else 1)
"""

NOTEBOOK = """
import os, time
if authority == "raises":
    raise ValueError("wrong [place]")
if authority == "kernel-dies":
    os._exit(3)
if authority == "hangs":
    time.sleep(120)
if authority.startswith("slow"):
    time.sleep(3)
"""

SHOW = """
class Shown:
    def _repr_markdown_(self):
        return f"## Part\\n\\nWords about {authority}. {os.environ['MPLBACKEND']} {os.environ['OMP_NUM_THREADS']}"
Shown()
"""  # noqa: E501


@dataclass
class Small:
    """The project and its driver."""

    root: Path
    source: Path

    def arguments(self, *codes: str, **options: Any) -> list[str]:
        return [sys.executable, "drive.py", json.dumps({"codes": codes, "workers": 2, **options})]

    def start(self, *codes: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.source)}
        environment.pop("OMP_NUM_THREADS", None)
        return subprocess.Popen(
            self.arguments(*codes, **options), cwd=self.root, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            # A shell that runs the tests in the background has them ignore Ctrl-C, which a
            # process inherits.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def run(self, *codes: str, **options: Any) -> tuple[int, dict[str, list[str]], str]:
        """Exit code, outcomes by authority, and what went to standard error."""
        process = self.start(*codes, **options)
        out, err = process.communicate(timeout=120)
        lines = [json.loads(line) for line in out.splitlines()]
        return process.returncode, {line[0]: line for line in lines if isinstance(line, list)}, err

    def page(self, code: str, ending: str = "html") -> Path:
        return self.root / "reports" / "_site" / "authorities" / f"{code}.{ending}"

    @property
    def project(self) -> Project:
        return Project(self.root)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, which nobody edits while the tests compare fingerprints of it."""
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "src" / "evidence", folder / "evidence",
                    ignore=shutil.ignore_patterns("__pycache__", ".*"))  # fmt: skip
    return folder


@pytest.fixture
def small(tmp_path: Path, source: Path) -> Small:
    root = tmp_path / "a project"
    (root / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "reports", root / "reports", ignore=shutil.ignore_patterns("_site"))
    cells = [
        nbformat.v4.new_code_cell("authority, edition, assumptions = '', '', {}",
                                  metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("#| include: false" + NOTEBOOK),
        nbformat.v4.new_code_cell(SHOW.strip()),
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "notebooks" / "n.ipynb"
    )
    (root / "drive.py").write_text(DRIVER)
    return Small(root, source)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def inspect(browser: Any) -> Callable[[Path, int, str], list[str]]:
    """Everything that is wrong with a page at a width and in a colour scheme."""
    return partial(faults, browser)


def faults(browser: Any, page_file: Path, width: int, scheme: str) -> list[str]:
    """Everything that is wrong with a page at a width, in words.

    Parameters
    ----------
    browser : playwright browser
    page_file : pathlib.Path
        The page.
    width : int
        Of the window, in CSS pixels.
    scheme : {"light", "dark"}
        What the reader prefers.
    """
    from axe_core_python.sync_playwright import Axe

    found: list[str] = []
    # The test's own script has to get past the page's policy; the policy's work shows in the
    # requests, which are counted before.
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False
    )
    page = context.new_page()
    page.on("request", lambda request: found.append(f"requests {request.url[:80]}")
            if not request.url.startswith(("data:", page_file.as_uri())) else None)  # fmt: skip
    page.on("console", lambda message: found.append(f"console: {message.text[:200]}"))
    page.goto(page_file.as_uri())
    page.evaluate("document.fonts.ready")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"is {wide} pixels wide in a window of {width}")
    faces = page.evaluate("[...document.fonts].filter(f => f.status === 'error').length")
    if faces:
        found.append(f"{faces} fonts do not load")
    result = Axe().run(page)
    for violation in result["violations"]:
        where = [node["html"][:120] for node in violation["nodes"][:3]]
        found.append(f"axe: {violation['id']}: {violation['help']}: {where}")
    context.close()
    return found
