"""Which authority is meant: by its code, or by its name as people write it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evidence.errors import UsageError

if TYPE_CHECKING:
    from evidence.literature import Places

_CODE = re.compile(r"[A-Z]\d{8}")
_SUFFIX = re.compile(r", (City|County) of$")
# Words of style and rank that people add or leave out; never all that a name consists of.
_STYLE = frozenset(
    word
    for words in (
        "the of city county council borough london royal metropolitan",
        "district unitary authority corporation mbc cc",
    )
    for word in words.split()
)
_OFFICE = frozenset(("the", "council", "corporation", "borough"))
_PLURAL_OR_PART = re.compile(r"(City of|Isles? of|East Riding of)\b")
_SUGGESTIONS = 5


@dataclass(frozen=True)
class Authority:
    """An English local authority with children's services.

    Attributes
    ----------
    code : str
        GSS code, for example ``"E06000010"``.
    name : str
        Official name, for example ``"Kingston upon Hull, City of"``.
    short_name : str
        Name for narrow places, for example ``"Hull"``.
    authority_type : str
        Unitary authority, county, metropolitan district or London borough, as published.
    region_code, region : str
        GSS code and name of its region.
    population_0_17 : int or None
        Residents under 18.
    population_year : int or None
        Year of that figure.
    comparable : bool
        False where so few children live that no comparison makes sense.
    note : str
        What a reader must know about it, or empty.
    """

    code: str
    name: str
    short_name: str
    authority_type: str
    region_code: str
    region: str
    population_0_17: int | None
    population_year: int | None
    comparable: bool
    note: str

    @property
    def plain_name(self) -> str:
        """The name without an appended style: ``"Bristol"`` for ``"Bristol, City of"``."""
        return _SUFFIX.sub("", self.name)

    @property
    def in_text(self) -> str:
        """The name inside a sentence, with its article where English asks for one."""
        name = self.plain_name
        return f"the {name}" if _PLURAL_OR_PART.match(name) else name

    @property
    def at_start(self) -> str:
        """The name at the beginning of a sentence."""
        return self.in_text[0].upper() + self.in_text[1:]


def _words(text: str) -> tuple[str, ...]:
    """Words of a name in lower case: ``&`` is ``and``, punctuation is nothing."""
    plain = text.casefold().replace("&", " and ").replace("'", "").replace("’", "")
    return tuple(re.findall(r"[a-z0-9]+", plain))


def _bare(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _OFFICE)


def _core(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(word for word in words if word not in _STYLE))


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _whole(value: object) -> int | None:
    return None if pd.isna(value) else int(value)  # type: ignore[call-overload]


def authority(places: Places, code_or_name: str) -> Authority:
    """Find an authority by its GSS code or by its name.

    Names are matched without regard to case, punctuation, ``&`` or ``and``, word order and words
    of style such as ``council``, ``city of`` or ``London Borough of``; short names count too.

    Parameters
    ----------
    places : Places
        The places data package.
    code_or_name : str
        For example ``"E06000010"``, ``"Hull"`` or ``"Brighton & Hove City Council"``.

    Raises
    ------
    UsageError
        If nothing, or more than one authority, answers to it; the message suggests what may be
        meant, and names the successors of an authority that no longer exists.
    """
    asked = str(code_or_name).strip()
    areas = places.areas.set_index("area_code")
    rows = places.authorities.set_index("area_code")
    if _CODE.fullmatch(asked.upper()):
        code = asked.upper()
        if code in rows.index:
            return _authority(code, areas, rows)
        raise UsageError(_no_such_code(code, areas, rows))
    names = {str(code): (str(areas.at[code, "name"]), str(rows.at[code, "short_name"]))
             for code in rows.index}  # fmt: skip
    words = _words(asked)
    for key in (_bare, _core):
        wanted = key(words)
        found = [code for code, known in names.items()
                 if wanted and any(key(_words(name)) == wanted for name in known)]  # fmt: skip
        if len(found) == 1:
            return _authority(found[0], areas, rows)
    raise UsageError(_no_such_name(asked, words, names, areas, rows))


def authorities_of_region(places: Places, region: str) -> list[str]:
    """Codes of the authorities in a region of England, or in Inner or Outer London.

    Parameters
    ----------
    places : Places
        The places data package.
    region : str
        Name or GSS code, for example ``"North East"``, ``"inner london"`` or ``"E12000001"``;
        ``England`` means all.

    Returns
    -------
    list of str
        GSS codes, sorted.

    Raises
    ------
    UsageError
        If no region answers to it; the message lists those there are.
    """
    areas = places.areas.set_index("area_code")
    regions = areas[areas["kind"].isin(["country", "region", "sub-region"])]
    words = _words(region)
    found = [
        str(code)
        for code, name in regions["name"].items()
        if words in (_words(str(code)), _words(str(name)))
        or (words and _place_words(words) == _place_words(_words(str(name))))
    ]
    if len(found) != 1:
        raise UsageError(_no_such_region(region, words, regions))
    inside = {found[0]}
    # A borough stands in a sub-region, a sub-region in a region, and a region in England.
    while True:
        more = set(areas.index[areas["parent_code"].isin(inside)]) - inside
        if not more:
            break
        inside |= more
    return sorted(inside & set(places.authorities["area_code"]))


def _place_words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in ("the", "of", "region", "england"))


def _no_such_region(region: str, words: tuple[str, ...], regions: pd.DataFrame) -> str:
    named = {" ".join(_words(str(name))): str(name) for name in regions["name"]}
    likely = [name for key, name in named.items() if set(words) & set(key.split()) - {"and", "of"}]
    likely = likely or [
        named[key] for key in difflib.get_close_matches(" ".join(words), list(named), n=3)
    ]
    if likely:
        return f"no region answers to {region.strip()!r}; did you mean {', or '.join(likely)}?"
    known = ", ".join(sorted(named.values()))
    return f"no region answers to {region.strip()!r}; the regions are {known}"


def _authority(code: str, areas: pd.DataFrame, rows: pd.DataFrame) -> Authority:
    region_code = str(areas.at[code, "parent_code"])
    # Inner and outer London stand between a borough and its region.
    if areas.at[region_code, "kind"] == "sub-region":
        region_code = str(areas.at[region_code, "parent_code"])
    row = rows.loc[code]
    return Authority(
        code=code,
        name=str(areas.at[code, "name"]),
        short_name=str(row["short_name"]),
        authority_type=_text(row["authority_type"]),
        region_code=region_code,
        region=str(areas.at[region_code, "name"]),
        population_0_17=_whole(row["population_0_17"]),
        population_year=_whole(row["population_year"]),
        comparable=str(row["comparable"]) == "yes",
        note=_text(row["note"]),
    )


def _label(code: object, areas: pd.DataFrame) -> str:
    return f"{areas['name'].to_dict()[code]!s} ({code!s})"


def _successors(code: str, areas: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    before = rows["predecessor_codes"].astype("string").fillna("").str.split(";")
    return [
        _label(now, areas) for now, codes in zip(rows.index, before, strict=True) if code in codes
    ]


def _no_such_code(code: str, areas: pd.DataFrame, rows: pd.DataFrame) -> str:
    after = _successors(code, areas, rows)
    for now, codes in rows["successor_codes"].astype("string").fillna("").items():
        if code in codes.split(";"):
            after.append(_label(now, areas))
    if after:
        return f"{code} is not a code used here; use {' or '.join(after)}"
    if code in areas.index:
        return f"{_label(code, areas)} is not a local authority with children's services"
    near = difflib.get_close_matches(code, list(rows.index), n=_SUGGESTIONS)
    advice = "did you mean " + ", or ".join(_label(known, areas) for known in near)
    return f"no authority has the code {code}" + (f"; {advice}?" if near else "")


def _no_such_name(
    asked: str,
    words: tuple[str, ...],
    names: dict[str, tuple[str, str]],
    areas: pd.DataFrame,
    rows: pd.DataFrame,
) -> str:
    former = areas[areas["kind"] == "former-authority"]
    core = _core(words)
    for code, name in former["name"].items():
        if core and core == _core(_words(re.sub(r"\s*\(.*\)", "", str(name)))):
            after = _successors(str(code), areas, rows)
            if after:
                return f"{name} no longer exists; use {' or '.join(after)}"
    label = {name: f"{known[0]} ({code})" for code, known in names.items() for name in known}
    likely = [name for name in label if set(core or words) & set(_words(name))]
    squeezed = {" ".join(_words(name)): name for name in label}
    # Spelling only counts where no word fits.
    likely = likely or [
        squeezed[name] for name in difflib.get_close_matches(" ".join(words), list(squeezed), n=3)
    ]
    shown = list(dict.fromkeys(label[name] for name in likely))[:_SUGGESTIONS]
    advice = f"; did you mean {', or '.join(shown)}?" if shown else (
        "; give a GSS code such as E06000010, or the name of an English authority with "
        "children's services"
    )  # fmt: skip
    return f"no single authority answers to {asked!r}{advice}"
