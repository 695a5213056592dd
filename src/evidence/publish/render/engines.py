"""Choosing the engine that renders."""

from __future__ import annotations

import shutil

from evidence.errors import UsageError
from evidence.project import Project
from evidence.publish.render.document import Renderer

ENGINES = ("auto", "embedded")
"""What may be asked for."""


def renderer(engine: str, project: Project) -> Renderer:
    """The engine of a name.

    Parameters
    ----------
    engine : {"auto", "embedded"}
        ``auto`` is the embedded engine, whether or not Quarto is on PATH, so that one edition
        looks the same wherever it is made.
    project : Project
        Gives brand, fonts and citation style.

    Raises
    ------
    UsageError
        If there is no such engine.
    """
    if engine in ENGINES:
        # Imported here, because the command line asks for names of engines without rendering.
        from evidence.publish.render.embedded import EmbeddedRenderer

        return EmbeddedRenderer(project)
    if engine == "quarto":
        where = "Quarto is on PATH, but" if shutil.which("quarto") else "Quarto is not on PATH, and"
        raise UsageError(
            f"{where} the batch does not render with it yet: use --engine embedded. A notebook "
            "that papermill has executed can be rendered by hand with quarto render."
        )
    raise UsageError(f"there is no engine {engine!r}: use {' or '.join(ENGINES)}.")
