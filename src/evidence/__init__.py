"""Prevention evidence workbench: from published trials and local indicators to local briefings."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.briefing import briefing_data
    from evidence.effectsize import convert_effect_sizes, effect_sizes, escalc
    from evidence.literature import bridge, build, check, connect, read_places, read_trials, sql
    from evidence.places import authority, needs_profile, needs_profiles
    from evidence.project import Project
    from evidence.synthesis.estimates import construct_effects, estimates
    from evidence.synthesis.meta import meta

__all__ = [
    "Project",
    "authority",
    "bridge",
    "briefing_data",
    "build",
    "check",
    "connect",
    "construct_effects",
    "convert_effect_sizes",
    "effect_sizes",
    "escalc",
    "estimates",
    "meta",
    "needs_profile",
    "needs_profiles",
    "read_places",
    "read_trials",
    "sql",
]

# pandas, SciPy and DuckDB take a second to load: each name brings its module when it is first used.
_HOME = {
    "Project": "project",
    "authority": "places",
    "bridge": "literature",
    "briefing_data": "briefing",
    "build": "literature",
    "check": "literature",
    "connect": "literature",
    "construct_effects": "synthesis.estimates",
    "convert_effect_sizes": "effectsize",
    "effect_sizes": "effectsize",
    "escalc": "effectsize",
    "estimates": "synthesis.estimates",
    "meta": "synthesis.meta",
    "needs_profile": "places",
    "needs_profiles": "places",
    "read_places": "literature",
    "read_trials": "literature",
    "sql": "literature",
}
_PARTS = (
    "briefing",
    "decisions",
    "effectsize",
    "errors",
    "facts",
    "literature",
    "places",
    "plots",
    "project",
    "publish",
    "synthesis",
    "tables",
)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_PARTS})
