import os
from pathlib import Path

import pandas as pd
import pytest

from evidence.files import sha256_of_files, write_atomically, write_parquet


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "é file.txt"
    write_atomically(path, "one\n")
    write_atomically(path, b"two\n")
    assert path.read_bytes() == b"two\n"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_failure_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_atomically(tmp_path / "file", "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_frames_are_written_whole_and_categories_as_text(tmp_path):
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.5, None]}, index=[7, 8])
    path = write_parquet(frame, tmp_path / "deep" / "frame.parquet")
    back = pd.read_parquet(path)
    assert back["a"].tolist() == ["x", "y"]
    assert not isinstance(back["a"].dtype, pd.CategoricalDtype)
    assert list(back.index) == [0, 1]
    assert [each.name for each in path.parent.iterdir()] == ["frame.parquet"]


def test_a_folder_hash_follows_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("x")
    one = sha256_of_files(tmp_path, "*.py")
    sha256_of_files.cache_clear()
    (tmp_path / "b.txt").write_text("no matter")
    assert sha256_of_files(tmp_path, "*.py") == one
    sha256_of_files.cache_clear()
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    assert sha256_of_files(tmp_path, "*.py") != one
