"""The command line: ``evidence``."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.callback()
def _root() -> None:
    """Turn published prevention trials and local indicators into honest local briefings."""


def main() -> None:
    """Run the command line."""
    app()
