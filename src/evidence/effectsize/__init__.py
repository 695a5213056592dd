"""From what a paper reports to an effect size and its variance."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.effectsize.calculate import EffectSizes, escalc
    from evidence.effectsize.clusters import DEFAULT_CLUSTER_SIZE, DEFAULT_ICC, design_effect
    from evidence.effectsize.codes import ASSUMPTIONS, DERIVATIONS, FLAGS, METRICS, REASONS
    from evidence.effectsize.convert import (
        convert_effect_sizes,
        convert_g_to_log_or,
        convert_log_or_to_g,
        convert_log_or_to_log_rr,
        convert_log_rr_to_log_or,
    )
    from evidence.effectsize.registry import MEASURES
    from evidence.effectsize.rows import effect_sizes
    from evidence.effectsize.small_sample import small_sample_factor

__all__ = [
    "ASSUMPTIONS",
    "DEFAULT_CLUSTER_SIZE",
    "DEFAULT_ICC",
    "DERIVATIONS",
    "FLAGS",
    "MEASURES",
    "METRICS",
    "REASONS",
    "EffectSizes",
    "convert_effect_sizes",
    "convert_g_to_log_or",
    "convert_log_or_to_g",
    "convert_log_or_to_log_rr",
    "convert_log_rr_to_log_or",
    "design_effect",
    "effect_sizes",
    "escalc",
    "small_sample_factor",
]

# SciPy's distributions are loaded with the module that needs them, not with the package.
_HOME = {
    "ASSUMPTIONS": "codes",
    "DEFAULT_CLUSTER_SIZE": "clusters",
    "DEFAULT_ICC": "clusters",
    "DERIVATIONS": "codes",
    "EffectSizes": "calculate",
    "FLAGS": "codes",
    "MEASURES": "registry",
    "METRICS": "codes",
    "REASONS": "codes",
    "convert_effect_sizes": "convert",
    "convert_g_to_log_or": "convert",
    "convert_log_or_to_g": "convert",
    "convert_log_or_to_log_rr": "convert",
    "convert_log_rr_to_log_or": "convert",
    "design_effect": "clusters",
    "effect_sizes": "rows",
    "escalc": "calculate",
    "small_sample_factor": "small_sample",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
