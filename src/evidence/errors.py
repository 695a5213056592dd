"""Errors that say what is wrong, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_OK = 0
EXIT_FAULTS = 1
EXIT_USAGE = 2
EXIT_LOCKED = 3


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong in one place of one input file.

    Attributes
    ----------
    file : str
        Path of the file, relative to the project where it lies inside it.
    row : int or None
        Line of the record in the file, the header being line 1; None where no row is meant.
    column : str or None
        Name of the column; None where the whole row or file is meant.
    code : str
        Short stable name of the rule that was broken, for example ``"interval-misses-effect"``.
    message : str
        What is wrong, with the value found.
    suggestion : str
        What would be right.
    """

    file: str
    row: int | None
    column: str | None
    code: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.row, self.column) if part)
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}: {self.message}{advice} [{self.code}]"


class EvidenceError(Exception):
    """Base of every error that the package raises on purpose.

    ``exit_code`` is what the command line returns for it.
    """

    exit_code = EXIT_FAULTS


class DataError(EvidenceError):
    """Input data break the rules; holds every fault that was found, not only the first.

    Parameters
    ----------
    faults : iterable of Fault
        What is wrong, in the order in which it should be read.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        head = f"{count} fault{'' if count == 1 else 's'} found"
        super().__init__("\n".join([head, *(str(fault) for fault in self.faults)]))


class ModelError(EvidenceError):
    """A model cannot be fitted to these data, or its fit cannot be trusted."""


class RenderError(EvidenceError):
    """A document cannot be rendered."""


class UsageError(EvidenceError):
    """The caller asked for something that does not exist or does not make sense."""

    exit_code = EXIT_USAGE


class LockedError(EvidenceError):
    """Another run is writing to the same output."""

    exit_code = EXIT_LOCKED
