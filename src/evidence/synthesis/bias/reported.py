"""How results of this package show themselves."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import pandas as pd


class Reported(ABC):
    """A result with a sentence, a table and notes."""

    @abstractmethod
    def report(self) -> str:
        """What a paper needs to say."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The numbers as a table."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know before trusting the numbers, in words."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """The table as plain numbers, by row, and the notes."""
        rows = self.to_frame().to_dict("index")
        return {**{str(name): row for name, row in rows.items()}, "notes": list(self.notes)}

    def summary(self) -> str:
        """The sentence, the table and the notes, as text."""
        table = self.to_frame().to_string(float_format="{:.4f}".format, na_rep="")
        return "\n".join([self.report(), "", table, *(f"Note: {note}." for note in self.notes)])

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        from html import escape

        parts = [self.report(), *(f"Note: {note}." for note in self.notes)]
        text = "".join(f"<p>{escape(part)}</p>" for part in parts)
        return text + self.to_frame().to_html(border=0, na_rep="")


FEW = 10
"""Studies below which tests of asymmetry hardly see anything (Sterne and others 2011)."""


def few(k: int) -> tuple[str, ...]:
    """The note on few studies, where it is due."""
    if k >= FEW:
        return ()
    return (
        f"with {k} studies, fewer than {FEW}, such a test sees asymmetry only where it is extreme: "
        "no sign of it is no sign of its absence (Sterne and others 2011)",
    )


def p_text(p: float) -> str:
    """A p value as papers print it."""
    if math.isnan(p):
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def studies(k: int) -> str:
    """A number of studies in words."""
    return f"{k} stud{'y' if k == 1 else 'ies'}"


__all__ = ["FEW", "Reported", "few", "p_text", "studies"]
