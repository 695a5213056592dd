"""The conda environment and the lock file say the same as pyproject.toml."""

import re
import tomllib

import yaml

from evidence.project import Project

# Names that differ between PyPI and conda-forge. Where conda-forge splits a package in two, the
# first name carries the version bound.
CONDA_NAMES = {
    "duckdb": ("python-duckdb",),
    "pypandoc-binary": ("pypandoc", "pandoc"),
    "typst": ("typst-py",),
    "quarto-cli": ("quarto",),
}
# What conda needs of its own: the interpreter, and pip to install the package itself.
ONLY_CONDA = {"python", "pip"}
CLIENT = {"jupyterlab", "papermill", "pandas", "statsmodels", "pymc", "pytest", "nutpie"}


def split(requirement: str) -> tuple[str, str]:
    match = re.match(r"([A-Za-z0-9-]+)\s*(.*)", requirement)
    assert match is not None
    return match.group(1), match.group(2)


def test_conda_environment_is_in_step(project: Project) -> None:
    metadata = tomllib.loads((project.root / "pyproject.toml").read_text())["project"]
    environment = yaml.safe_load((project.root / "environment.yml").read_text())
    conda = dict(split(item) for item in environment["dependencies"] if isinstance(item, str))
    extra = metadata["optional-dependencies"]["quarto"]
    wanted = dict(split(item) for item in [*metadata["dependencies"], *extra])

    assert conda["python"] == metadata["requires-python"]
    expected = set(ONLY_CONDA)
    for name, bound in wanted.items():
        names = CONDA_NAMES.get(name, (name,))
        assert conda[names[0]] == bound, name
        expected.update(names)
    assert set(conda) == expected


def test_client_packages_are_required(project: Project) -> None:
    metadata = tomllib.loads((project.root / "pyproject.toml").read_text())["project"]
    names = {split(item)[0] for item in metadata["dependencies"]}
    assert names >= CLIENT
    assert "quarto-cli" not in names
    assert set(metadata["optional-dependencies"]) == {"quarto"}


def test_lock_holds_one_numerical_stack(project: Project) -> None:
    lock = tomllib.loads((project.root / "uv.lock").read_text())
    versions: dict[str, set[str]] = {}
    for package in lock["package"]:
        versions.setdefault(package["name"], set()).add(package["version"])
    for name in ("numpy", "scipy", "pandas", "matplotlib", "pymc", "numba", "statsmodels"):
        assert len(versions[name]) == 1, (name, versions[name])
