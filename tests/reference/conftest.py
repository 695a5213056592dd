"""Tell how many reference results the package cannot compute yet."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count them by function."""
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
