"""Fingerprints tell whether a document is still what its inputs would give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evidence.files import sha256_of_files
from evidence.project import Project

# In the order in which a reader would want to hear of a change.
PARTS = (
    "kind",
    "data",
    "parameters",
    "notebook",
    "templates",
    "code",
    "lock",
    "engine",
    "engine_version",
)


def sha256_of(content: object) -> str:
    """SHA-256 of canonical JSON: sorted keys, no spaces, no NaN."""
    canonical = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def code_sha256() -> str:
    """SHA-256 of the package's own source files."""
    return sha256_of_files(Path(__file__).resolve().parents[1], "*.py", "*.sql")


def templates_sha256(project: Project) -> str:
    """SHA-256 of templates and filters of the package, and of the project's brand and fonts."""
    package = Path(__file__).resolve().parent
    return sha256_of(
        [
            sha256_of_files(package / "templates", "*"),
            sha256_of_files(package / "filters", "*"),
            sha256_of_files(project.reports / "fonts", "*"),
            sha256_of_files(project.reports, "_brand.yml", "*.csl"),
        ]
    )


def fingerprint(
    project: Project,
    *,
    kind: str,
    notebook: Path,
    parameters: Mapping[str, Any],
    data: object,
    engine: str,
    engine_version: str,
) -> dict[str, str]:
    """Fingerprint of one document, part by part.

    Parameters
    ----------
    project : Project
        Whose brand, fonts and lock file count.
    kind : str
        Kind of document, for example ``"briefing"``.
    notebook : pathlib.Path
        The parameterised notebook, without outputs.
    parameters : mapping
        What the notebook is run with.
    data : object
        The data that the document uses, as JSON can hold it.
    engine, engine_version : str
        What renders it.

    Returns
    -------
    dict of str
        From the names in :data:`PARTS` to a text or a SHA-256.
    """
    lock = project.root / "uv.lock"
    return {
        "kind": kind,
        "data": sha256_of(data),
        "parameters": sha256_of(dict(parameters)),
        "notebook": hashlib.sha256(notebook.read_bytes()).hexdigest(),
        "templates": templates_sha256(project),
        "code": code_sha256(),
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "",
        "engine": engine,
        "engine_version": engine_version,
    }


_REASONS = {
    "kind": "it is another kind of document",
    "data": "the data it uses changed",
    "parameters": "its parameters changed",
    "notebook": "the notebook changed",
    "templates": "templates, brand or fonts changed",
    "code": "the package's code changed",
    "lock": "the locked packages changed",
    "engine": "another engine renders it",
    "engine_version": "the engine's version changed",
}


def why_stale(old: Mapping[str, str] | None, new: Mapping[str, str]) -> list[str]:
    """Say in words why a document must be made anew.

    Parameters
    ----------
    old : mapping or None
        Fingerprint stored with the document; None where there is none.
    new : mapping
        Fingerprint of what would be made now.

    Returns
    -------
    list of str
        Empty where the document is still right.
    """
    if old is None:
        return ["it was never made"]
    return [_REASONS[part] for part in PARTS if old.get(part) != new[part]]


def read_fingerprint(path: Path, outputs: Iterable[Path]) -> dict[str, str] | None:
    """Read a stored fingerprint.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file.
    outputs : iterable of pathlib.Path
        The files it vouches for; if one is missing, or not the file that was written, so is the
        fingerprint.

    Returns
    -------
    dict or None
        None where it is missing, unreadable or vouches for other files.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stored = content["outputs"]
        for output in outputs:
            if stored[output.name] != hashlib.sha256(output.read_bytes()).hexdigest():
                return None
        return dict(content["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fingerprint_json(content: Mapping[str, str], outputs: Iterable[Path]) -> str:
    """The JSON that :func:`read_fingerprint` reads: the fingerprint and what it vouches for."""
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in outputs}
    return json.dumps({"fingerprint": dict(content), "outputs": hashes}, indent=1, sort_keys=True)
