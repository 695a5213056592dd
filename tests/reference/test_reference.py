"""Every reference result, computed by the package and compared number by number."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location(
    "reference_harness", Path(__file__).parent / "harness.py"
)
harness = importlib.util.module_from_spec(_SPEC)
# Dataclasses look their module up by name.
sys.modules[_SPEC.name] = harness
_SPEC.loader.exec_module(harness)

RUNNERS = harness.runners()
CASES = harness.cases()


def _parameter(case):
    marks = []
    if harness.is_not_built(case.name):
        reason = f"not built: {case.function}"
        missing = (NotImplementedError, AssertionError)
        marks.append(pytest.mark.xfail(strict=True, reason=reason, raises=missing))
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [_parameter(case) for case in CASES])
def test_agrees_with_the_reference(case):
    if case.function not in RUNNERS:
        raise NotImplementedError(f"no runner for {case.function}")
    problems = []
    for computation in harness.computations(case.fixture):
        if computation.function != case.function:
            continue
        args = dict(computation.args)
        output = args.pop("output", None)
        got = RUNNERS[case.function](args, case.fixture["data"])
        want = harness.expected(case.fixture, computation)
        if output is None and isinstance(got, dict) and not isinstance(want, dict):
            # One number out of an object stands at a path that ends with its name.
            output = computation.path[-1]
        if output is not None:
            got = got[output]
        where = "/".join(computation.path)
        name = f"{case.fixture['id']}::{computation.kind}"
        problems += harness.differences(name, want, got, where)
    assert not problems, "\n".join(problems[:20])


def test_every_number_belongs_to_a_computation():
    left = {f["id"]: rest for f in harness.fixtures() if (rest := harness.unclaimed(f))}
    assert not left


def test_every_line_of_the_list_of_what_is_missing_is_needed():
    names = [case.name for case in CASES]
    stale = [
        pattern for pattern in harness.not_built()
        if not any(harness.fnmatchcase(name, pattern) for name in names)
    ]  # fmt: skip
    assert not stale


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ({"tau2": 1.0}, {}),
        ({"tau2": 1.0}, {"tau2": 1.00001}),
        ({"tau2": None}, {"tau2": 0.0}),
        ({"tau2": 1.0}, {"tau2": None}),
        ({"pval": 1e-20}, {"pval": 2e-20}),
        ({"beta": [1.0, 2.0]}, {"beta": [1.0]}),
        ({"ub": "Inf"}, {"ub": 7.0}),
        (1.0, float("nan")),
    ],
)
def test_the_comparison_sees_differences(want, got):
    assert list(harness.differences("rma", want, got))


def test_longer_paths_take_their_numbers_from_shorter_ones():
    fixture = {
        "result": {"a": 1, "b": {"c": 2, "d": 3}, "X": [[1]]},
        "spec": {"variants": {".": {"function": "f", "args": {}},
                              "b/c": {"function": "g", "args": {}}}},
    }  # fmt: skip
    whole, part = harness.computations(fixture)
    assert harness.expected(fixture, whole) == {"a": 1, "b": {"d": 3}}
    assert harness.expected(fixture, part) == 2


def test_the_page_lists_what_the_tests_compare(project):
    text = (project.root / "docs" / "validation.md").read_text(encoding="utf-8")
    compared, rest = text.split("## Not built yet")
    missing = rest.split("Their reference results")[0]
    told = set(re.findall(r"^\| `(\w+)`", compared, re.MULTILINE))
    untold = set(re.findall(r"`(\w+)`", missing))
    names = {case.function: set() for case in harness.cases()}
    for case in harness.cases():
        names[case.function].add(harness.is_not_built(case.name))
    assert told == {name for name, states in names.items() if False in states}
    assert untold == {name for name, states in names.items() if states == {True}}
