"""All facts that stand in what is shown, so that a document can list them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from evidence.facts import Fact, Sentence

# Where each kind of block keeps what it shows.
_INSIDE = ("heading", "text", "caption", "items", "body", "note")


def facts_of(*shown: Any) -> tuple[Fact, ...]:
    """Facts in the order of reading, each once.

    Parameters
    ----------
    *shown : Fact, Sentence, Figure, Table, Block or anything that holds such
        What is published; None and plain text hold no fact.

    Returns
    -------
    tuple of Fact
    """
    return tuple({fact.id: fact for item in shown for fact in _walk(item)}.values())


def _walk(item: Any) -> Iterator[Fact]:
    if isinstance(item, Fact):
        yield item
    elif isinstance(item, Sentence):
        yield from item.facts
    elif item is None or isinstance(item, str):
        return
    elif hasattr(item, "facts"):
        yield from item.facts
    elif isinstance(item, Iterable):
        for part in item:
            yield from _walk(part)
    else:
        for name in _INSIDE:
            yield from _walk(getattr(item, name, None))
