"""What a briefing says: its data, its sentences, its lessons."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evidence.briefing.data import BriefingData, briefing_data
    from evidence.briefing.evidence import Evidence, evidence_pack

__all__ = ["BriefingData", "Evidence", "briefing_data", "evidence_pack"]

_HOME = {
    "BriefingData": "data",
    "Evidence": "evidence",
    "briefing_data": "data",
    "evidence_pack": "evidence",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
