"""Calls of pandoc, which comes with the package ``pypandoc-binary``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from evidence.errors import RenderError

READER = "markdown"
"""Pandoc's own Markdown, as Quarto reads it; the dialect is what of it is allowed."""


@lru_cache(maxsize=1)
def program() -> str:
    """Path of the pandoc program."""
    import pypandoc

    return str(pypandoc.get_pandoc_path())


@lru_cache(maxsize=1)
def version() -> str:
    """Version of pandoc, for example ``"3.9"``."""
    import pypandoc

    return str(pypandoc.get_pandoc_version())


def run(arguments: Sequence[str], text: str, folder: Path | None = None) -> tuple[str, str]:
    """Run pandoc on a text.

    Parameters
    ----------
    arguments : sequence of str
        Options; it is run in its sandbox, so that a document can read no file.
    text : str
        Standard input.
    folder : pathlib.Path, optional
        Working directory.

    Returns
    -------
    output, log : str

    Raises
    ------
    RenderError
        If pandoc fails.
    """
    done = subprocess.run(
        [program(), "--sandbox", *arguments],
        input=text.encode(),
        capture_output=True,
        cwd=folder,
        # Pandoc reads the names of files in the encoding of its locale.
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=False,
    )
    log = done.stderr.decode(errors="replace").strip()
    if done.returncode:
        raise RenderError(f"pandoc failed ({done.returncode}): {log or 'no message'}")
    return done.stdout.decode(), log
