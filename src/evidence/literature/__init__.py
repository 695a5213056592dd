"""Curated literature and places: read, check, build and query the data packages."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.literature.bibliography import references
    from evidence.literature.builder import build
    from evidence.literature.database import connect, sql
    from evidence.literature.describe import show
    from evidence.literature.read import (
        Places,
        Trials,
        bridge,
        inputs_sha256,
        read_places,
        read_trials,
    )
    from evidence.literature.validate import check

__all__ = [
    "Places",
    "Trials",
    "bridge",
    "build",
    "check",
    "connect",
    "inputs_sha256",
    "read_places",
    "read_trials",
    "references",
    "show",
    "sql",
]

# pandas and DuckDB are loaded with the module that needs them, not with the package.
_HOME = {
    "Places": "read",
    "Trials": "read",
    "bridge": "read",
    "build": "builder",
    "check": "validate",
    "connect": "database",
    "inputs_sha256": "read",
    "read_places": "read",
    "read_trials": "read",
    "references": "bibliography",
    "show": "describe",
    "sql": "database",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
