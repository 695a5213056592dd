"""The batch isolates failures: real worker processes, one of which dies."""

import os
from pathlib import Path

from evidence.publish.batch import Outcome, Task, run_tasks


def _make(task: Task) -> Outcome:
    if task.code == "dies":
        os._exit(9)
    return Outcome(task.code, task.name, "made")


def task(code: str) -> Task:
    return Task(Path(), code, code.title(), {}, ("html",), "embedded", {}, 10.0)


def test_a_worker_that_dies_fails_alone() -> None:
    codes = ["a", "b", "dies", "c", "d"]
    outcomes = {o.code: o for o in run_tasks([task(code) for code in codes], 2, _make)}
    assert set(outcomes) == set(codes)
    assert outcomes["dies"].status == "failed" and "died" in outcomes["dies"].message
    assert all(outcomes[code].status == "made" for code in codes if code != "dies")
