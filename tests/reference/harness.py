"""Read fixtures, take their specifications apart and compare results."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHARED = {"X", "X_names", "names", "row_order", "incl", "study", "steps"}


def load(path: Path) -> Any:
    """Import a module of this folder by its file."""
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_TOLERANCES = load(HERE / "tolerance.py")


@dataclass(frozen=True)
class Computation:
    """One entry of a specification: where in the result it stands and what computes it."""

    path: tuple[str, ...]
    function: str
    args: dict[str, Any]

    @property
    def kind(self) -> str:
        """Name under which its tolerances stand."""
        return _TOLERANCES.kind(self.function, self.args)


@dataclass(frozen=True)
class Case:
    """The computations of one fixture by one function."""

    fixture: dict[str, Any]
    function: str

    @property
    def name(self) -> str:
        return f"{self.fixture['id']}::{self.function}"


def fixtures() -> Iterator[dict[str, Any]]:
    """All fixtures: of this folder, then of the one that EVIDENCE_REFERENCE names."""
    folders = [HERE / "fixtures"]
    if extra := os.environ.get("EVIDENCE_REFERENCE"):
        folders.append(Path(extra))
    for folder in folders:
        files = sorted(folder.glob("*.json"))
        assert files, f"no reference results in {folder}"
        for file in files:
            yield from json.loads(file.read_text(encoding="utf-8"))["fixtures"]


def computations(fixture: dict[str, Any]) -> list[Computation]:
    """What a fixture asks for."""
    spec = fixture["spec"]
    entries = spec.get("variants", {".": spec})
    return [
        Computation(() if path == "." else tuple(path.split("/")), v["function"], v["args"])
        for path, v in entries.items()
    ]


def cases() -> list[Case]:
    """Each fixture with each function that it needs."""
    return [
        Case(fixture, function)
        for fixture in fixtures()
        for function in sorted({c.function for c in computations(fixture)})
    ]


def runners() -> dict[str, Callable[..., Any]]:
    """Functions of all runners; a name belongs to one of them."""
    found: dict[str, Callable[..., Any]] = {}
    for file in sorted((HERE / "runners").glob("*.py")):
        functions = load(file).FUNCTIONS
        twice = found.keys() & functions.keys()
        assert not twice, f"{file.name} registers {sorted(twice)} a second time"
        found |= functions
    return found


def not_built() -> list[str]:
    """Patterns of the names of cases that cannot be computed yet."""
    lines = (HERE / "not_built.txt").read_text(encoding="utf-8").splitlines()
    return [text for line in lines if (text := line.partition("#")[0].strip())]


def is_not_built(name: str) -> bool:
    """Whether a case is on the list."""
    return any(fnmatchcase(name, pattern) for pattern in not_built())


def expected(fixture: dict[str, Any], computation: Computation) -> Any:
    """What a computation must return: its part of the result without what longer paths name."""
    inner = [
        other.path[len(computation.path) :]
        for other in computations(fixture)
        if other.path[: len(computation.path)] == computation.path
        and len(other.path) > len(computation.path)
    ]
    value = fixture["result"]
    for key in computation.path:
        value = value[key]
    value = _without(value, inner)
    if not computation.path and isinstance(value, dict):
        value = {key: part for key, part in value.items() if key not in SHARED}
    return value


def _without(value: Any, paths: list[tuple[str, ...]]) -> Any:
    if not paths or not isinstance(value, dict):
        return value
    kept = {}
    for key, part in value.items():
        below = [path[1:] for path in paths if path[0] == key]
        if () in below:
            continue
        kept[key] = _without(part, below)
        # An object all of whose parts belong to other computations is theirs.
        if below and kept[key] == {}:
            del kept[key]
    return kept


def unclaimed(fixture: dict[str, Any]) -> list[str]:
    """Paths of the result that no computation covers and that the variants do not share."""
    paths = [c.path for c in computations(fixture)]

    def walk(value: Any, at: tuple[str, ...]) -> Iterator[str]:
        if any(at[: len(path)] == path for path in paths):
            return
        if isinstance(value, dict):
            for key, part in value.items():
                if key not in SHARED:
                    yield from walk(part, (*at, key))
        else:
            yield "/".join(at)

    return list(walk(fixture["result"], ()))


def differences(name: str, want: Any, got: Any, at: str = "", key: str = "") -> Iterator[str]:
    """Say where a result is not the expected one; nothing is said where it is.

    The tolerances are those of a function, or of a case by its name FIXTURE::FUNCTION.
    """
    if isinstance(want, dict) and want.get("boundary") and name.endswith("selection_model"):
        yield from _lower_maximum(name, want, got, at)
    elif isinstance(want, dict):
        for field, part in want.items():
            if isinstance(got, dict) and field in got:
                yield from differences(name, part, got[field], f"{at}/{field}", field)
            elif field not in SHARED:
                yield f"{at}/{field}: not computed"
    elif isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            yield f"{at}: {len(want)} values expected, got {got!r}"
            return
        for i, (one, other) in enumerate(zip(want, got, strict=True)):
            yield from differences(name, one, other, f"{at}[{i}]", key)
    elif isinstance(got, list) and len(got) == 1:
        # The reference writes some vectors of one as a number.
        yield from differences(name, want, got[0], at, key)
    elif not _same(name, key, want, got):
        yield f"{at}: {want!r} expected, got {got!r}"


def _lower_maximum(name: str, want: Any, got: Any, at: str) -> Iterator[str]:
    """At a boundary the reference stops short of the maximum: only its height is a bound."""
    relative, _ = _TOLERANCES.tolerance(name, "logLik")
    if not got["logLik"] >= want["logLik"] - relative * abs(want["logLik"]):
        yield f"{at}/logLik: {want['logLik']!r} or more expected, got {got['logLik']!r}"


def _same(name: str, key: str, want: Any, got: Any) -> bool:
    if want is None:
        if _TOLERANCES.any_where_missing(name):
            return True
        return got is None or (isinstance(got, float) and math.isnan(got))
    if want in ("Inf", "-Inf"):
        return got in (want, float(want.lower()))
    if isinstance(want, bool | str):
        return bool(want == got)
    if got is None or isinstance(got, str | list | dict):
        return False
    relative, absolute = _TOLERANCES.tolerance(name, key)
    return math.isclose(want, got, rel_tol=relative, abs_tol=absolute)
