"""The public face: every name is there, and `import evidence` loads nothing heavy."""

import json
import subprocess
import sys

import pytest

import evidence

HEAVY = {
    "arviz", "duckdb", "frictionless", "matplotlib", "numpy", "pandas", "pyarrow", "pymc", "scipy",
    "statsmodels", "typer", "yaml",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(run.stdout)}


def test_import_loads_nothing_heavy() -> None:
    assert loaded("import evidence") & HEAVY == set()


def test_effect_sizes_need_neither_database_nor_plots() -> None:
    modules = loaded("import evidence\nevidence.escalc")
    assert {"numpy", "scipy"} <= modules
    assert modules & {"duckdb", "frictionless", "matplotlib", "pymc"} == set()


@pytest.mark.parametrize("name", evidence.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert callable(getattr(evidence, name))
    assert name in dir(evidence)


def test_parts_are_reached_without_importing_them() -> None:
    modules = loaded("import evidence\nassert evidence.errors.EXIT_USAGE == 2")
    assert "pandas" not in modules


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        evidence.no_such_name  # noqa: B018
