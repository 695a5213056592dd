"""Writing files so that a reader never meets half of one, and telling whether they changed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def write_atomically(path: Path, content: bytes | str) -> Path:
    """Write a file beside its target and move it into place.

    A process that dies in between leaves the old file, and no other, under the name.

    Parameters
    ----------
    path : pathlib.Path
        Target; its folder is made if needed.
    content : bytes or str
        Text is written as UTF-8 with line feeds.

    Returns
    -------
    pathlib.Path
        The target.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files for their owner alone; a site is for everyone to read.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    return path


def write_parquet(frame: pd.DataFrame, path: Path) -> Path:
    """Write a data frame as Parquet, atomically and without its index.

    Parameters
    ----------
    frame : pandas.DataFrame
        Categories become text.
    path : pathlib.Path
        Target.
    """
    import pandas as pd

    stream = io.BytesIO()
    categories = {
        name: "str" for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)
    }
    frame.astype(categories).to_parquet(stream, index=False)
    return write_atomically(path, stream.getvalue())


# A spreadsheet takes a cell that begins with one of these for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_text(frame: pd.DataFrame) -> str:
    """A data frame as CSV that a spreadsheet opens as data.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is left out.

    Returns
    -------
    str
        UTF-8 text with line feeds. Numbers are as they are. A text, or the name of a column, that
        a spreadsheet would run as a formula has an apostrophe before it, which shows it as text.
    """

    def guarded(cell: object) -> object:
        if isinstance(cell, str) and cell.startswith(_FORMULA):
            return f"'{cell}"
        return cell

    safe = frame.rename(columns=guarded)
    for place, kind in enumerate(frame.dtypes):
        if kind in ("object", "str", "category"):
            safe.isetitem(place, [guarded(cell) for cell in frame.iloc[:, place]])
    return safe.to_csv(index=False, lineterminator="\n")


@cache
def sha256_of_files(folder: Path, *patterns: str) -> str:
    """SHA-256 over names and contents of the files below a folder that match any pattern.

    Parameters
    ----------
    folder : pathlib.Path
        Where to look, folders below included.
    *patterns : str
        Glob patterns; names are taken relative to the folder, so the place of the project does
        not matter. The result is remembered for the life of the process.
    """
    digest = hashlib.sha256()
    files = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()}
    for path in sorted(files):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
