"""The batch isolates failures, goes on after a kill, and keeps what is right: real processes."""

import json
import os
import signal
import time
from pathlib import Path

import pytest


def test_each_failure_is_told_and_the_others_finish(small) -> None:
    codes = ["good", "raises", "kernel-dies", "worker-dies", "no-data", "hangs", "better"]
    # An older document of a place that fails is taken away, however it fails.
    for name in ("worker-dies", "raises"):
        small.page(name).parent.mkdir(parents=True, exist_ok=True)
        small.page(name).write_text("old")
    code, outcomes, _ = small.run(*codes, timeout=4)
    assert code == 1 and set(outcomes) == set(codes)
    told = {
        "raises": "ValueError: wrong [place]",
        "kernel-dies": "kernel died",
        "worker-dies": "process died",
        "no-data": "ValueError: no data for this place",
        "hangs": "longer than 4 seconds",
    }
    for name, words in told.items():
        _, status, message, log = outcomes[name]
        assert status == "failed" and words in message and "second line" not in message
        assert name in Path(log).read_text()
        assert not small.page(name).exists()
    # The executed notebook stays for a look, with its traceback.
    kept = small.root / "build" / "notebooks" / "raises.ipynb"
    assert "ValueError" in kept.read_text()
    for name in ("good", "better"):
        assert outcomes[name][1] == "made"
        text = small.page(name).read_text()
        assert f"Words about {name}" in text
        # What the kernel's environment must say.
        assert "module://matplotlib_inline.backend_inline 1" in text
        assert small.page(name, "pdf").read_bytes().startswith(b"%PDF")
        assert json.loads(small.page(name, "facts.json").read_text()) == []
    leftovers = [p for p in small.root.rglob(".*") if p.suffix in (".part", ".ipynb")]
    assert leftovers == []


def test_what_is_right_is_kept_and_what_is_not_is_made(small) -> None:
    assert small.run("a", "b")[0] == 0
    pages = [small.page(code, end) for code in "ab" for end in ("html", "pdf")]
    before = {page: (page.stat().st_mtime_ns, page.read_bytes()) for page in pages}
    _, outcomes, _ = small.run("a", "b", formats=["html"])
    assert {o[1] for o in outcomes.values()} == {"kept"}, outcomes
    # Changed data concern one place only; the format that was not asked for follows.
    (small.root / "a.txt").write_text("changed")
    _, outcomes, _ = small.run("a", "b", formats=["html"])
    assert outcomes["a"][1:3] == ["made", "the data it uses changed"]
    assert outcomes["b"][1] == "kept"
    assert small.page("a", "pdf").stat().st_mtime_ns > before[small.page("a", "pdf")][0]
    # A damaged or missing document is made again; the same inputs give the same bytes.
    small.page("b").write_text("damaged")
    _, outcomes, _ = small.run("a", "b")
    assert [outcomes[c][1] for c in "ab"] == ["kept", "made"]
    _, outcomes, _ = small.run("a", force=True)
    assert outcomes["a"][1] == "made"
    assert {page: page.read_bytes() for page in pages} == {
        page: content for page, (_, content) in before.items()
    }


def _wait_for(process, word: str) -> None:
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(f"never said {word}: {process.stderr.read()}")


def _members(session: int) -> list[int]:
    """Living processes whose parents are in a session, kernels included by their folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(stat[3]) == session and stat[0] != "Z":
                found.append(int(entry.name))
    return found


def _kernels(folder: Path) -> list[str]:
    """Kernels that run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                found.append(entry.name)
        except OSError:
            continue
    return found


def _gone(small, session: int) -> bool:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if not _members(session) and not _kernels(small.root / "notebooks"):
            return True
        time.sleep(0.2)
    return False


def test_a_killed_run_leaves_nothing_behind_and_goes_on(small) -> None:
    process = small.start("a", "b", "slow-c", "slow-d")
    _wait_for(process, "made")
    # A second run at the same time is refused.
    code, _, err = small.run("a")
    assert code == 3 and f"process {process.pid}" in err
    process.kill()
    process.communicate()
    assert _gone(small, process.pid)
    code, outcomes, _ = small.run("a", "b", "slow-c", "slow-d")
    assert code == 0 and "kept" in {o[1] for o in outcomes.values()}
    assert len(outcomes) == 4 and small.page("slow-d").exists()
    assert [p for p in small.root.rglob(".*") if p.suffix in (".part", ".ipynb")] == []


def test_ctrl_c_ends_at_once(small) -> None:
    process = small.start("a", "hangs", "b", "slow-c")
    _wait_for(process, "made")
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0 and time.monotonic() - begin < 10
    assert "KeyboardInterrupt" in err and err.count("Traceback") == 1
    assert _gone(small, process.pid)
    assert small.page("a").exists()
