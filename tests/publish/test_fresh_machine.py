"""A briefing on a machine that has the environment and nothing else."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

# Read by every Python process below; for machines where a network cannot be taken away.
NO_NETWORK = """
import socket
class Closed(socket.socket):
    def connect(self, address):
        if self.family != socket.AF_UNIX:
            raise OSError("there is no network here")
        return super().connect(address)
socket.socket = Closed
"""


@pytest.fixture
def bare() -> Iterator[Path]:
    """A folder with an awkward name that belongs to an ordinary user."""
    # Not `tmp_path`: only its owner may enter that.
    with tempfile.TemporaryDirectory(prefix="Prävention für Kinder 预防 ") as name:
        folder = Path(name)
        for part in ("literature", "notebooks", "reports"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("_site", ".*")
            )
        for part in ("_quarto.yml", "uv.lock"):
            shutil.copy(ROOT / part, folder / part)
        (folder / "home").mkdir()
        (folder / "blocked").mkdir()
        (folder / "blocked" / "sitecustomize.py").write_text(NO_NETWORK)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield folder


def wrapper() -> list[str]:
    """What to put before a command so that it runs without network and not as root.

    Each is left out where this machine does not allow it: name spaces may be forbidden, and an
    interpreter under /root is out of reach for anyone else.
    """
    root = os.geteuid() == 0
    wanted = [["unshare", "--net"] if root else ["unshare", "--user", "--net"]]
    if root:
        wanted.append(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
    start_another = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    chosen: list[str] = []
    for words in wanted:
        program = shutil.which(words[0])
        if program is None:
            continue
        longer = [*chosen, program, *words[1:]]
        probe = [*longer, sys.executable, "-c", start_another]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            chosen = longer
    return chosen


def test_briefing_needs_no_network_compiler_browser_bytecode_or_locale(bare: Path) -> None:
    command = Path(sys.executable).with_name("evidence")
    environment = {
        # No compiler, git, browser or poppler: only the environment's own programs.
        "PATH": str(command.parent),
        "HOME": str(bare / "home"),
        # Python itself cannot start from a folder outside ASCII then; make sees to that.
        "LC_ALL": "POSIX" if sys.prefix.isascii() else "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(bare / "blocked"),
    }
    done = subprocess.run(
        [*wrapper(), str(command), "briefings", "Isles of Scilly"],
        cwd=bare, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made = bare / "reports" / "_site" / "authorities"
    assert {path.name for path in made.glob("E06000053.*")} >= {
        "E06000053.html",
        "E06000053.pdf",
        "E06000053.facts.json",
    }
    assert (bare / "reports" / "_site" / "index.html").stat().st_size > 1000
    assert (made / "E06000053.pdf").read_bytes().startswith(b"%PDF-")
