"""What all tests share: tools that may be missing, and the project under test."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from evidence.project import Project

ROOT = Path(__file__).resolve().parents[1]


def _browser() -> str | None:
    return (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


TOOLS = {
    "browser": ("a Chromium on PATH", lambda: _browser() is not None),
    "pdf": ("pdftotext and pdftoppm on PATH",
            lambda: bool(shutil.which("pdftotext") and shutil.which("pdftoppm"))),
    "quarto": ("Quarto on PATH", lambda: shutil.which("quarto") is not None),
}  # fmt: skip


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is missing; fail it where EVIDENCE_REQUIRE asks for the tool."""
    required = {name.strip() for name in os.environ.get("EVIDENCE_REQUIRE", "").split(",")}
    for name, (what, present) in TOOLS.items():
        if item.get_closest_marker(name) and not present():
            if name in required:
                pytest.fail(f"EVIDENCE_REQUIRE asks for {name}, which needs {what}", pytrace=False)
            pytest.skip(f"needs {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the reference results that the package cannot compute yet, by function."""
    reasons = Counter(
        reason
        for report in terminalreporter.stats.get("xfailed", [])
        if "/reference/" in report.nodeid
        and (reason := getattr(report, "wasxfail", "")).startswith("not built: ")
    )
    if reasons:
        parts = [f"{text.removeprefix('not built: ')} {n}" for text, n in sorted(reasons.items())]
        terminalreporter.write_sep("-", f"reference results not built: {reasons.total()}")
        terminalreporter.write_line(", ".join(parts))


@pytest.fixture(scope="session")
def project() -> Project:
    """The project itself, with its real data."""
    return Project(ROOT)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser."""
    path = _browser()
    assert path is not None
    return path
