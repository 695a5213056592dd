"""The look of every plot: type, colour and size, read from ``reports/_brand.yml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evidence.errors import DataError, Fault
from evidence.project import Project

if TYPE_CHECKING:
    import matplotlib.figure

MM = 1 / 25.4
"""One millimetre in inches."""

TEXT_WIDTH = 166.0
"""Width of the text on a printed page in millimetres: a full-width figure has it."""

_HEX = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Brand:
    """What ``reports/_brand.yml`` says.

    Attributes
    ----------
    palette : mapping
        From a colour's name to ``#rrggbb``, on white.
    dark : mapping
        The same names on a dark screen.
    roles : mapping
        From what a colour means to its name in the palette.
    sans, serif : str
        Families of text and of headings.
    faces : tuple of (family, weight, style, path)
        The font files.
    name : str
        Name of the workbench as printed.
    """

    palette: Mapping[str, str]
    dark: Mapping[str, str]
    roles: Mapping[str, str]
    sans: str
    serif: str
    faces: tuple[tuple[str, int, str, Path], ...]
    name: str

    def colour(self, name: str) -> str:
        """Colour of a role or of the palette as ``#rrggbb``.

        Raises
        ------
        ValueError
            If there is no such name; the message lists those there are.
        """
        key = self.roles.get(name, name)
        if key not in self.palette:
            known = ", ".join(sorted({*self.roles, *self.palette}))
            raise ValueError(f"no colour is called {name!r}; there are {known}")
        return self.palette[key]


def read_brand(path: Path) -> Brand:
    """Read a brand file.

    Raises
    ------
    DataError
        If an entry is missing, a colour is not ``#rrggbb`` or a font file does not exist.
    """
    faults: list[Fault] = []

    def fault(column: str, message: str, suggestion: str) -> None:
        faults.append(Fault(path.name, None, column, "bad-brand", message, suggestion))

    try:
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        palette, own = raw["color"]["palette"], raw["defaults"]["evidence"]
        dark, roles = own["dark"], own["roles"]
        fonts, name = raw["typography"]["fonts"], raw["meta"]["name"]
        sans = raw["typography"]["base"]["family"]
        serif = raw["typography"]["headings"]["family"]
        faces = tuple(
            (font["family"], face["weight"], face["style"], path.parent / face["path"])
            for font in fonts
            for face in font["files"]
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise DataError(
            [Fault(path.name, None, None, "bad-brand", f"cannot be read: {error!r}")]
        ) from error
    for scheme, colours in (("palette", palette), ("dark", dark)):
        for key, value in colours.items():
            if not (isinstance(value, str) and _HEX.fullmatch(value)):
                fault(f"{scheme}.{key}", f"{value!r} is no colour", "#rrggbb in lower case")
    for key in sorted(set(palette) - set(dark)):
        fault(f"dark.{key}", "is missing", "every colour needs its dark counterpart")
    for role, key in roles.items():
        if key not in palette:
            fault(f"roles.{role}", f"{key!r} is not in the palette", "a name of the palette")
    for *_, file in faces:
        if not file.is_file():
            fault("typography.fonts", f"{file.name} does not exist", "a file under reports/fonts")
    if faults:
        raise DataError(faults)
    return Brand(palette, dark, roles, sans, serif, faces, name)


@lru_cache(maxsize=4)
def _brand(path: Path) -> Brand:
    return read_brand(path)


def brand(project: Project | None = None) -> Brand:
    """The project's brand, read once per process."""
    return _brand((project or Project.find()).reports / "_brand.yml")


def colour(name: str) -> str:
    """Colour by what it means, as ``#rrggbb``.

    Parameters
    ----------
    name : str
        ``programme``, ``place``, ``comparison``, ``muted``, ``rule``, ``ink``, ``wash``,
        ``benefit``, ``harm``, ``caution``, ``other``, or a name of the palette.
    """
    return brand().colour(name)


def figure(width_mm: float = TEXT_WIDTH, height_mm: float = 90.0) -> matplotlib.figure.Figure:
    """An empty matplotlib figure in the project's style, independent of any backend.

    Parameters
    ----------
    width_mm : float
        Width in millimetres, at most :data:`TEXT_WIDTH`.
    height_mm : float
        Height in millimetres, at most 235, so that it fits on a page with its caption.

    Returns
    -------
    matplotlib.figure.Figure
        With constrained layout. It is not registered with pyplot, so nothing has to be closed
        and no backend can lose it. The style is set for the process, because matplotlib reads it
        when axes and texts are made.
    """
    if not 0 < width_mm <= TEXT_WIDTH:
        raise ValueError(f"a figure is at most {TEXT_WIDTH:g} mm wide, not {width_mm:g}")
    if not 0 < height_mm <= 235:
        raise ValueError(f"a figure is at most 235 mm high, not {height_mm:g}")
    from matplotlib.figure import Figure

    use()
    return Figure(figsize=(width_mm * MM, height_mm * MM), layout="constrained")


def use() -> None:
    """Set matplotlib's parameters to the project's style for this process."""
    import matplotlib as mpl

    look = brand()
    _register(look)
    mpl.rcParams.update(_parameters(look))


@lru_cache(maxsize=4)
def _register_files(files: tuple[Path, ...]) -> None:
    from matplotlib import font_manager

    for file in files:
        font_manager.fontManager.addfont(file)


def _register(look: Brand) -> None:
    _register_files(tuple(file for *_, file in look.faces))


def _parameters(look: Brand) -> dict[str, Any]:
    from cycler import cycler

    ink, rule, slate = look.colour("ink"), look.colour("rule"), look.colour("comparison")
    cycle = [look.colour(name) for name in ("programme", "place", "other", "caution", "comparison")]
    return {
        "font.family": [look.sans],
        "font.size": 9.0,
        "axes.titlesize": 9.5,
        "axes.titleweight": 600,
        "axes.titlelocation": "left",
        "axes.titlecolor": ink,
        "axes.labelsize": 9.0,
        "axes.labelcolor": slate,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "text.color": ink,
        "axes.edgecolor": slate,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": "none",
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=cycle),
        "axes.unicode_minus": True,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "xtick.color": slate,
        "ytick.color": slate,
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "xtick.major.width": 0.6,
        "grid.color": rule,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.4,
        "lines.markersize": 5.0,
        "mathtext.fontset": "custom",
        "mathtext.rm": look.sans,
        "mathtext.it": f"{look.sans}:italic",
        "mathtext.bf": f"{look.sans}:semibold",
        "svg.fonttype": "path",
        "svg.hashsalt": "evidence",
    }
