"""Say a drawing of matplotlib's in fewer bytes: same lines, shorter words.

A page carries some twenty drawings inside it, and most of each is the outlines of its letters.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_PATH, _GROUP, _USE, _DEFS, _STYLE = (
    f"{{{_SVG}}}{tag}" for tag in ("path", "g", "use", "defs", "style")
)
_HREF = f"{{{_XLINK}}}href"
_TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_PLACE = re.compile(r"translate\((\S+) 0\)")
_HERE = "translate(0 0)"
_SCALED = re.compile(r"(.*) scale\((\S+) (\S+)\)")

# Matplotlib draws a letter on a grid of 64 steps and shrinks it; one shrinking does for both.
_GRID = 64
_SHRUNK = f"scale({1 / _GRID})"

# A hundredth of a point is a three-hundredth of a millimetre.
_DIGITS = 2


def smaller(svg: str) -> str:
    """Shorten an SVG drawing that matplotlib wrote.

    Parameters
    ----------
    svg : str
        One ``svg`` element whose text is drawn as outlines (``svg.fonttype: path``).

    Returns
    -------
    str
        The same drawing, to a hundredth of a point: without comments, groups that group nothing
        and names that nobody calls, and with paths in relative whole steps.
    """
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)
    _letters(root)
    _names(root)
    for element in root.iter():
        _attributes(element)
    _ungroup(root)
    return ET.tostring(root, encoding="unicode")


def _letters(root: ET.Element) -> None:
    """Draw letters on their own grid, and leave out spaces, which draw nothing."""
    letters = {
        f"#{element.get('id')}": element
        for element in root.iter(_PATH)
        if element.get("transform") == _SHRUNK
    }
    lines = [
        (group, uses)
        for group in root.iter(_GROUP)
        if (uses := [use for use in group.findall(_USE) if use.get(_HREF) in letters])
    ]
    scaled = [
        (group, uses, scale)
        for group, uses in lines
        if (scale := _SCALED.fullmatch(group.get("transform", "")))
        and all(_PLACE.fullmatch(use.get("transform", _HERE)) for use in uses)
    ]
    if len(scaled) < len(lines):
        return  # there are formulas, whose letters are moved and made smaller one by one
    for element in letters.values():
        del element.attrib["transform"]
    for group, uses, scale in scaled:
        across, up = (_short(float(scale[part]) / _GRID, 8) for part in (2, 3))
        group.set("transform", f"{_round(scale[1])}scale({across} {up})")
        for use in uses:
            place = float(_PLACE.sub(r"\1", use.attrib.pop("transform", _HERE)))
            if not letters[use.attrib[_HREF]].get("d"):
                group.remove(use)
            elif place:
                use.set("x", _short(place * _GRID, 0))


def _names(root: ET.Element) -> None:
    """Short names for what is referred to, and none for the rest."""
    called: dict[str, str] = {}
    for element in root.iter():
        found = [element.get(_HREF, "")[1:], *_REFERENCE.findall(element.get("clip-path", ""))]
        for name in filter(None, found):
            called.setdefault(name, f"{'abcdefghij'[len(called) % 10]}{len(called) // 10 or ''}")
    for element in root.iter():
        if (name := element.attrib.pop("id", None)) and name in called:
            element.set("id", called[name])
        if target := element.attrib.pop(_HREF, None):
            element.set("href", f"#{called[target[1:]]}")
        if clip := element.get("clip-path"):
            element.set("clip-path", _REFERENCE.sub(lambda m: f"url(#{called[m[1]]})", clip))


def _attributes(element: ET.Element) -> None:
    for name, value in element.attrib.items():
        if name == "d":
            element.set(name, _path(value))
        elif name == "style":
            element.set(name, re.sub(r"\s*([:;])\s*", r"\1", value))
        elif name in ("transform", "x", "y") and "scale" not in value:
            element.set(name, _round(value))


def _ungroup(parent: ET.Element) -> None:
    """Put the content of a group that says nothing in the group's place; drop blanks."""
    parent.tail = None
    if parent.tag != _STYLE:
        parent.text = None
    for child in list(parent):
        _ungroup(child)
        at = list(parent).index(child)
        if child.tag == _GROUP and not child.attrib:
            parent[at : at + 1] = list(child)
        elif child.tag == _DEFS and not len(child):
            del parent[at]


def _path(d: str) -> str:
    """The same path in relative steps, counted from rounded points so that no error adds up."""
    step = 10**_DIGITS
    tokens = _TOKEN.findall(d)
    said: list[str] = []
    at, start, position = (0, 0), (0, 0), 0
    sizes = {"M": 1, "L": 1, "Q": 2, "C": 3}
    while position < len(tokens):
        command = tokens[position]
        position += 1
        if command in "zZ":
            said.append("z")
            at = start
            continue
        size = sizes[command]
        numbers = [round(float(token) * step) for token in tokens[position : position + 2 * size]]
        position += 2 * size
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        moves = [part for x, y in points for part in (x - at[0], y - at[1])]
        at = points[-1]
        if command == "M":
            start = at
        if command == "L" and moves[1] == 0:
            command, moves = "H", moves[:1]
        elif command == "L" and moves[0] == 0:
            command, moves = "V", moves[1:]
        said.append(command.lower() + _join([_short(move / step, _DIGITS) for move in moves]))
    return "".join(said)


def _join(numbers: list[str]) -> str:
    return "".join(
        text if not position or text.startswith("-") else f" {text}"
        for position, text in enumerate(numbers)
    )


def _round(text: str) -> str:
    return _DECIMAL.sub(lambda match: _short(float(match[0]), _DIGITS), text)


def _short(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else re.sub(r"^(-?)0\.", r"\1.", text)
