"""A small project with published pages, to be broken in one place."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "literature"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "publish"))

from small_project import Copy, make_small


@pytest.fixture(scope="session")
def published(project, tmp_path_factory):
    """A small project that has no fault, its database built and a page published."""
    root = tmp_path_factory.mktemp("published")
    copy = make_small(project.root, root)
    shutil.copytree(project.reports, root / "reports", ignore=shutil.ignore_patterns("_site"))
    shutil.copytree(project.notebooks, root / "notebooks")
    for name in ("E06000001.html", "E06000001.pdf", "E06000001.facts.json"):
        path = root / "reports" / "_site" / "authorities" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"what stands in {name}")
    return copy


@pytest.fixture
def copy(published, tmp_path):
    """A small project of one's own."""
    shutil.copytree(published.root, tmp_path / "project")
    return Copy(tmp_path / "project")
