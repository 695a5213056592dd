"""Tables and blocks of text that publish themselves, for screens, paper and screen readers."""

from evidence.tables.blocks import Block, Bullets, Callout, Fold, Heading, KeyPoints
from evidence.tables.table import Cell, Column, Table

__all__ = [
    "Block",
    "Bullets",
    "Callout",
    "Cell",
    "Column",
    "Fold",
    "Heading",
    "KeyPoints",
    "Table",
]
