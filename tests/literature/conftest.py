"""A small project of one's own for each test."""

import shutil
import sys
from pathlib import Path

import pytest

# So that other folders of tests can share it too.
sys.path.insert(0, str(Path(__file__).parent))

from small_project import Copy, make_small


@pytest.fixture(scope="session")
def small(project, tmp_path_factory):
    """A small project that has no fault, with its database built. Not to be changed."""
    return make_small(project.root, tmp_path_factory.mktemp("small"))


@pytest.fixture
def copy(small, tmp_path):
    """A small project of one's own, with its database built."""
    shutil.copytree(small.root, tmp_path / "project")
    return Copy(tmp_path / "project")
