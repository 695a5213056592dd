"""Choosing the engine that renders."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from evidence.errors import UsageError
from evidence.project import Project
from evidence.publish.render.document import Renderer

ENGINES = ("auto", "quarto", "embedded")
"""What may be asked for."""


def renderer(
    engine: str, project: Project, tell: Callable[[str], None] = lambda text: None
) -> Renderer:
    """The engine of a name.

    Parameters
    ----------
    engine : {"auto", "quarto", "embedded"}
        ``auto`` is Quarto where one that is new enough is on PATH, else the embedded engine. Both
        give the same text and the same look.
    project : Project
        Gives brand, fonts and citation style.
    tell : callable
        Told why ``auto`` passes over a Quarto that is on PATH.

    Raises
    ------
    UsageError
        If there is no such engine, or Quarto is asked for and is missing or too old.
    """
    # Imported here, because the command line asks for names of engines without rendering.
    from evidence.publish.render.embedded import EmbeddedRenderer
    from evidence.publish.render.quarto import QuartoRenderer

    if engine not in ENGINES:
        raise UsageError(f"there is no engine {engine!r}: use {', '.join(ENGINES)}.")
    if engine == "embedded":
        return EmbeddedRenderer(project)
    try:
        return QuartoRenderer(project)
    except UsageError as error:
        if engine == "quarto":
            raise
        if shutil.which("quarto"):
            tell(f"The embedded engine renders. {error}")
        return EmbeddedRenderer(project)
