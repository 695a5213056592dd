"""Facts: every number in prose is an object that knows what it is and where it comes from.

A :class:`Fact` shows itself as a short text, and as a Markdown span that carries its identity.
Sentences are built from text and facts with :func:`sentence`; text that comes from data reaches
Markdown only through :func:`md`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["estimate", "observation", "count", "assumption", "calculation"]

# Everything that pandoc's Markdown, raw Typst, citations, references, Quarto's shortcodes or TeX
# could read as more than text. A backslash before punctuation is always the plain character.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~^$<>&@:\"'=/%;,?])")
_SPACE = re.compile(r"[\s\u0085\u2028\u2029]+")
# Controls, marks that change the direction of the text around them, and characters that have no
# form of their own: joiners, soft hyphens, variants, tags. A reader could not see that they are
# there, and fonts have no glyph for them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_URL = re.compile(r"https?://[^\s<>\"'`\\^{|}\[\]]+", re.IGNORECASE)


def clean(text: object) -> str:
    """Text from data as one line that shows all there is of it.

    Parameters
    ----------
    text : object
        Shown through ``str``.

    Returns
    -------
    str
        Line breaks and runs of spaces are one space; control characters, marks of writing
        direction and characters without a form are gone. Nothing is escaped.
    """
    return _SPACE.sub(" ", _INVISIBLE.sub("", str(text)))


def md(text: object) -> str:
    """Escape text from data so that Markdown shows it as it is and obeys none of it.

    Parameters
    ----------
    text : object
        Goes through :func:`clean`, so that a value cannot start a block.

    Returns
    -------
    str
        One line of Markdown that reads as the plain text, also where raw HTML, raw Typst, TeX,
        citations and shortcodes are understood.
    """
    return _SPECIAL.sub(r"\\\1", clean(text))


def link(text: object, url: str) -> str:
    """Markdown link to a page on the web.

    Parameters
    ----------
    text : object
        The words to click, escaped here.
    url : str
        Becomes a link only if it begins with ``http://`` or ``https://`` and has no character
        that could end it; otherwise only the words are shown.
    """
    target = url.strip()
    if not _URL.fullmatch(target):
        return md(text)
    safe = target.replace("(", "%28").replace(")", "%29").replace("*", "%2A").replace("_", "%5F")
    return f"[{md(text)}]({safe})"


@dataclass(frozen=True)
class Fact:
    """One number (or one short figure in words) and where it comes from.

    Attributes
    ----------
    value : float, int, str or None
        The value as computed, unrounded.
    text : str
        The value as it is printed, for example ``"6.4%"``. Not part of the identity.
    unit : str
        Unit of the value, for example ``"percent"`` or ``"per 10,000 children"``.
    kind : str
        ``estimate``, ``observation``, ``count``, ``assumption`` or ``calculation``.
    how : str
        Dotted name of the function that computed it.
    inputs : tuple of str
        What it was computed from: ``"effects:ID"``, ``"observations:AREA/INDICATOR/PERIOD"``,
        ``"estimates:ID"``, ``"facts:ID"``.
    lower, upper : float or None
        Limits of its interval.
    level : float or None
        Level of that interval in percent.
    assumptions : tuple of str
        What had to be assumed.
    note : str
        Anything else that a reader of the trace should know.
    """

    value: float | int | str | None
    text: str
    unit: str
    kind: Kind
    how: str
    inputs: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    assumptions: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "lower", "upper", "level"):
            number = getattr(self, name)
            if number is None or isinstance(number, str):
                continue
            # NumPy scalars become Python numbers, so that JSON and the identity do not depend
            # on where the number came from.
            plain = number.item() if hasattr(number, "item") else number
            if isinstance(plain, float) and not math.isfinite(plain):
                raise ValueError(f"a fact's {name} must be finite, not {plain!r}")
            object.__setattr__(self, name, plain)
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "assumptions", tuple(self.assumptions))
        if not self.text:
            raise ValueError("a fact needs a text to show")

    @property
    def id(self) -> str:
        """First ten hexadecimal digits of the SHA-256 of everything but the text."""
        content = {key: value for key, value in asdict(self).items() if key != "text"}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:10]

    @property
    def md(self) -> str:
        """The fact as a Markdown span that carries its identity."""
        return f'[{md(self.text)}]{{.fact fact="{self.id}"}}'

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON; :meth:`from_dict` reads it back."""
        content = asdict(self)
        content["inputs"] = list(self.inputs)
        content["assumptions"] = list(self.assumptions)
        return {"id": self.id, **content}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Fact:
        """Fact from what :meth:`to_dict` wrote.

        Raises
        ------
        ValueError
            If the stored identity is not that of the content.
        """
        values = dict(content)
        stored = values.pop("id", None)
        values["inputs"] = tuple(values.get("inputs", ()))
        values["assumptions"] = tuple(values.get("assumptions", ()))
        fact = cls(**values)
        if stored is not None and stored != fact.id:
            raise ValueError(f"fact {stored} does not match its content ({fact.id})")
        return fact


@dataclass(frozen=True)
class Sentence:
    """Markdown text and the facts that stand in it.

    Attributes
    ----------
    text : str
        Markdown, one line.
    facts : tuple of Fact
        In the order in which they appear.
    """

    text: str
    facts: tuple[Fact, ...] = ()

    def __add__(self, other: Sentence) -> Sentence:
        """Two sentences, one after the other."""
        between = " " if self.text and other.text else ""
        return Sentence(self.text + between + other.text, self.facts + other.facts)

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text

    @property
    def plain(self) -> str:
        """The sentence as a reader sees it, without markup."""
        return plain(self.text)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON; :meth:`from_dict` reads it back."""
        return {"text": self.text, "facts": [fact.to_dict() for fact in self.facts]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Sentence:
        """Sentence from what :meth:`to_dict` wrote."""
        return cls(content["text"], tuple(Fact.from_dict(fact) for fact in content["facts"]))


@dataclass(frozen=True)
class Name:
    """A name, year or label with digits in it that is no fact, such as ``Year 6`` or ``2024/25``.

    Attributes
    ----------
    text : str
        Shown as it is, escaped.
    """

    text: str

    @property
    def md(self) -> str:
        """The name as a Markdown span that marks it as not being a fact."""
        return f"[{md(self.text)}]{{.name}}"


@dataclass(frozen=True)
class Raw:
    """Markdown that the package itself wrote, such as a citation or a link; used as it is."""

    text: str

    @property
    def md(self) -> str:
        """The Markdown itself."""
        return self.text


_FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def sentence(template: str, **parts: object) -> Sentence:
    """Build a sentence from a template and its parts.

    Parameters
    ----------
    template : str
        Markdown of the package's own, with ``{name}`` where a part goes. It may hold no digit:
        numbers are facts, and names with digits are passed as :class:`Name`.
    **parts : Fact, Sentence, Name, Raw or str
        What goes in. Plain strings come from data and are escaped.

    Returns
    -------
    Sentence
        The text with the facts of all parts, in order.

    Raises
    ------
    ValueError
        If the template holds a digit, names a part that is not given, or leaves one unused.

    Examples
    --------
    >>> sentence("{place} is one of {many}.", place="Kent", many=Name("153")).plain
    'Kent is one of 153.'
    """
    bare = _FIELD.sub("", template)
    if re.search(r"\d", bare):
        raise ValueError(f"a digit in the template {template!r}: pass a Fact or a Name")
    wanted = set(_FIELD.findall(template))
    if wanted != set(parts):
        raise ValueError(f"template and parts differ: {sorted(wanted ^ set(parts))}")
    facts: list[Fact] = []

    def fill(match: re.Match[str]) -> str:
        part = parts[match.group(1)]
        if isinstance(part, Fact):
            facts.append(part)
            return part.md
        if isinstance(part, Sentence):
            facts.extend(part.facts)
            return part.text
        if isinstance(part, Name | Raw):
            return part.md
        return md(part)

    return Sentence(_FIELD.sub(fill, template), tuple(facts))


def join(sentences: Iterable[Sentence]) -> Sentence:
    """Sentences one after the other, as a paragraph."""
    total = Sentence("")
    for part in sentences:
        total = total + part
    return total


def enumerate_words(parts: Iterable[object], last: str = "and") -> Sentence:
    """Join parts as English does: ``a``, ``a and b``, ``a, b and c``.

    Parameters
    ----------
    parts : iterable of Fact, Sentence, Name, Raw or str
        What to list.
    last : str
        Word before the last part.
    """
    items = [sentence("{part}", part=part) for part in parts]
    if not items:
        return Sentence("")
    text, facts = items[0].text, items[0].facts
    for position, item in enumerate(items[1:], start=2):
        text += (f" {last} " if position == len(items) else ", ") + item.text
        facts += item.facts
    return Sentence(text, facts)


_FACT_SPAN = re.compile(r'\[((?:\\.|[^\]\\])*)\]\{\.fact fact="[0-9a-f]{10}"\}')
_NAME_SPAN = re.compile(r"\[((?:\\.|[^\]\\])*)\]\{\.name\}")
_ESCAPED = re.compile(r"\\([^a-zA-Z0-9\s])")


def plain(text: str) -> str:
    """Markdown of this module as a reader sees it: spans, links and escapes resolved."""
    text = _NAME_SPAN.sub(r"\1", _FACT_SPAN.sub(r"\1", text))
    text = re.sub(r"\[((?:\\.|[^\]\\])*)\]\([^)]*\)", r"\1", text)
    # Strong emphasis goes first: in escaped text every asterisk follows a backslash.
    return _ESCAPED.sub(r"\1", text.replace("**", ""))


def stray_digits(text: str) -> list[str]:
    """Pieces of Markdown prose that hold a digit which is neither a fact nor a name.

    Link targets, citations and cross-references are no prose. Spelt-out numbers cannot be found
    this way.
    """
    text = _NAME_SPAN.sub("", _FACT_SPAN.sub("", text))
    text = re.sub(r"(?<=\])\([^)]*\)", "", text)
    text = re.sub(r"\[[^\]]*@[^\]]*\]|@(?:fig|tbl|sec)-[\w-]+", "", text)
    return re.findall(r"\S*\d\S*", text)


@dataclass
class Ledger:
    """The facts of one document, collected while it is written.

    Attributes
    ----------
    facts : dict
        From a fact's identity to the fact.
    """

    facts: dict[str, Fact] = field(default_factory=dict)

    def add(self, *items: Fact | Sentence) -> None:
        """Take note of facts, or of all facts of sentences."""
        for item in items:
            for fact in item.facts if isinstance(item, Sentence) else (item,):
                self.facts[fact.id] = fact

    def to_json(self) -> str:
        """All facts as JSON, sorted by identity, ending in a line break."""
        content = [self.facts[key].to_dict() for key in sorted(self.facts)]
        return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def number(value: float, digits: int = 0) -> str:
    """A number as British readers write it: thousands with commas, a true minus sign.

    Parameters
    ----------
    value : float
        Finite number.
    digits : int
        Digits after the decimal point; halves are rounded away from zero, as in print.
    """
    scale = 10**digits
    rounded = math.floor(abs(value) * scale + 0.5 + 1e-9) / scale
    sign = "\N{MINUS SIGN}" if value < 0 and rounded else ""
    return f"{sign}{rounded:,.{digits}f}"


_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def count_words(value: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: ``no trials``, ``one trial``, ``seven trials``, ``12 trials``."""
    noun = singular if value == 1 else (plural or singular + "s")
    return f"{_WORDS[value] if 0 <= value < len(_WORDS) else number(value)} {noun}"
