"""A finished figure: the drawing, its caption, and what it shows in words."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evidence.facts import Sentence, clean, md, plain
from evidence.files import write_atomically
from evidence.plots.minify import smaller

if TYPE_CHECKING:
    import matplotlib.figure

_LABEL = re.compile(r"fig-[a-z0-9]+(?:-[a-z0-9]+)*")
# What matplotlib writes beside the drawing: a document type that names a web address, metadata, and
# each text again as a comment.
_PROLOGUE = re.compile(r"\A.*?(?=<svg[\s>])", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_ACTIVE = re.compile(r"<script|<foreignObject|\son[a-z]+\s*=|javascript:", re.IGNORECASE)


@dataclass(frozen=True)
class Figure:
    """A drawing that can be published.

    Attributes
    ----------
    svg : str
        The drawing as one SVG element, without prologue and metadata.
    alt : str
        What the figure shows, in words, for readers who do not see it. It says the finding, not
        the kind of plot.
    caption : Sentence
        Printed under the figure, with its facts.
    label : str
        ``fig-`` and a name in lower case, by which the text refers to it (``@fig-needs``).
    """

    svg: str
    alt: str
    caption: Sentence
    label: str

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise ValueError(
                f"the label of a figure is fig- and lower-case words, not {self.label!r}"
            )
        if not self.alt.strip():
            raise ValueError(f"{self.label} has no alternative text: say in words what it shows")
        if not self.caption.text.strip():
            raise ValueError(f"{self.label} has no caption")
        drawing = _METADATA.sub("", _COMMENT.sub("", _PROLOGUE.sub("", self.svg))).strip()
        if not (drawing.startswith("<svg") and drawing.endswith("</svg>")):
            raise ValueError(f"{self.label} is not an SVG drawing")
        if _ACTIVE.search(drawing):
            raise ValueError(f"{self.label} holds a script; a drawing may not")
        object.__setattr__(self, "svg", drawing)

    @classmethod
    def from_matplotlib(
        cls, fig: matplotlib.figure.Figure, *, alt: str, caption: Sentence, label: str
    ) -> Figure:
        """Finish a matplotlib figure: the same input gives the same bytes.

        Parameters
        ----------
        fig : matplotlib.figure.Figure
            Drawn on a figure of :func:`evidence.plots.style.figure`.
        alt, caption, label
            As the attributes.
        """
        import matplotlib as mpl

        _plain_texts(fig)
        stream = io.StringIO()
        # The hash salt makes the identifiers of clip paths and markers repeatable.
        with mpl.rc_context({"svg.hashsalt": label, "svg.fonttype": "path"}):
            fig.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
        return cls(smaller(stream.getvalue()), alt, caption, label)

    @property
    def data_uri(self) -> str:
        """The drawing as a ``data:`` address."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()

    @property
    def markdown(self) -> str:
        """The figure in the dialect of the published documents."""
        return f'![{self.caption.text}]({self.data_uri}){{#{self.label} fig-alt="{md(self.alt)}"}}'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/plain": f"{self.label}: {self.caption.plain}",
            "text/html": (
                f'<figure style="margin:0;background:#fff"><img src="{self.data_uri}" '
                f'alt="{html.escape(self.alt)}" style="max-width:100%">'
                f"<figcaption>{html.escape(plain(self.caption.text))}</figcaption></figure>"
            ),
            "text/markdown": self.markdown,
        }

    def write(self, folder: Path) -> Path:
        """Write ``LABEL.svg`` and, beside it, ``LABEL.json`` with everything else.

        Returns
        -------
        pathlib.Path
            The JSON file; :meth:`read` takes it.
        """
        write_atomically(folder / f"{self.label}.svg", self.svg + "\n")
        content = {"label": self.label, "alt": self.alt, "caption": self.caption.to_dict()}
        text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        return write_atomically(folder / f"{self.label}.json", text)

    @classmethod
    def read(cls, path: Path | str) -> Figure:
        """Read a figure that :meth:`write` wrote.

        Parameters
        ----------
        path : path
            The SVG or the JSON file; both must be there.
        """
        base = Path(path)
        content = json.loads(base.with_suffix(".json").read_text(encoding="utf-8"))
        svg = base.with_suffix(".svg").read_text(encoding="utf-8")
        caption = Sentence.from_dict(content["caption"])
        return cls(svg, content["alt"], caption, content["label"])


def _plain_texts(fig: matplotlib.figure.Figure) -> None:
    """Let no text of a drawing be read as a formula; names from data may hold dollar signs.

    The labels of ticks stay as they are, because matplotlib writes powers of ten as formulas.
    """
    from matplotlib.text import Text

    ticks = {
        label
        for axes in fig.axes
        for axis in (axes.xaxis, axes.yaxis)
        for label in axis.get_ticklabels(which="both")
    }
    for text in fig.findobj(Text):
        if isinstance(text, Text) and text not in ticks:
            text.set_parse_math(False)
            text.set_text("\n".join(clean(line) for line in text.get_text().split("\n")))
