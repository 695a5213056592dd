"""`make lab`: a real JupyterLab with the briefing notebook, its kernel, and all its cells run."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "for-this-test"

pytestmark = pytest.mark.skipif(
    not (ROOT / ".venv" / "bin" / "jupyter").exists() or shutil.which("make") is None,
    reason="needs make and the environment that `make` makes",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a JupyterLab that `make lab` has started, and where it keeps its kernels."""
    folder = tmp_path_factory.mktemp("jupyter")
    runtime = folder / "runtime"
    environment = os.environ | {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
    }
    # A kernel finds its project by its working directory.
    environment.pop("EVIDENCE_PROJECT", None)
    options = f"--no-browser --ServerApp.port=0 --IdentityProvider.token={TOKEN}"
    if os.geteuid() == 0:
        options += " --allow-root"
    log = (folder / "log").open("w+")
    process = subprocess.Popen(
        # The environment is there: it must not be made anew by a test.
        ["make", "--old-file=.venv/.ready", "lab", f"LAB={options}"],
        cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        yield _address(process, runtime, folder / "log"), runtime
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        log.close()


def _address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        for found in runtime.glob("jpserver-*.json"):
            try:
                url = str(json.loads(found.read_text())["url"])
                urllib.request.urlopen(f"{url}api?token={TOKEN}", timeout=10).read()
            except (OSError, ValueError, KeyError):
                continue
            return url
        time.sleep(0.3)
    pytest.fail(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


def ask(url: str, path: str, content: Any = None, method: str = "") -> Any:
    """Call the server's REST API."""
    request = urllib.request.Request(
        url + path,
        data=None if content is None else json.dumps(content).encode(),
        method=method or ("GET" if content is None else "POST"),
        headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def test_the_briefing_notebook_opens_with_its_kernel(lab: tuple[str, Path]) -> None:
    url, _ = lab
    names = {item["name"] for item in ask(url, "api/contents")["content"]}
    assert "briefing.ipynb" in names and "Makefile" not in names
    specs = ask(url, "api/kernelspecs")
    notebook = ask(url, "api/contents/briefing.ipynb")["content"]
    assert notebook["metadata"]["kernelspec"]["name"] in specs["kernelspecs"]
    # The page that opens is the notebook's, not a list of files.
    page = urllib.request.urlopen(f"{url}lab/tree/briefing.ipynb?token={TOKEN}", timeout=60)
    assert page.status == 200 and b"JupyterLab" in page.read()


def test_every_cell_runs_as_it_stands(lab: tuple[str, Path]) -> None:
    """In the kernel that JupyterLab starts for the notebook, in its folder, for a real place."""
    from jupyter_client import BlockingKernelClient

    url, runtime = lab
    notebook = nbformat.read(ROOT / "notebooks" / "briefing.ipynb", as_version=4)
    session = ask(url, "api/sessions", {
        "path": "briefing.ipynb", "name": "briefing.ipynb", "type": "notebook",
        "kernel": {"name": notebook.metadata.kernelspec.name},
    })  # fmt: skip
    client = BlockingKernelClient(
        connection_file=str(runtime / f"kernel-{session['kernel']['id']}.json")
    )
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        where = "import os, evidence; print(os.getcwd(), evidence.__file__)"
        shown, _ = run(client, where)
        folder, module = shown.split()
        assert Path(folder) == ROOT / "notebooks"
        assert Path(module).is_relative_to(ROOT / "src")
        pictures = 0
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            _, data = run(client, cell.source)
            last = cell.source.strip().splitlines()[-1]
            if last.startswith("briefing."):
                assert "text/html" in data, last
                pictures += data["text/html"].count("<img ")
        assert pictures >= 2
        title, _ = run(client, "print(briefing.title)")
        assert "Birmingham" in title
    finally:
        client.stop_channels()
        ask(url, f"api/sessions/{session['id']}", method="DELETE")


def run(client: Any, code: str) -> tuple[str, dict[str, Any]]:
    """What a piece of code prints, and what it shows; an error fails the test."""
    printed, shown = [], {}

    def take(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            printed.append(content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            shown.update(content["data"])

    reply = client.execute_interactive(code, output_hook=take, timeout=300)
    content = reply["content"]
    assert content["status"] == "ok", (code, content.get("ename"), content.get("evalue"))
    return "".join(printed), shown
