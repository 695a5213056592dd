"""Finished figures, and the look of every plot."""

import pytest
import yaml

from evidence.errors import DataError
from evidence.facts import Fact, sentence
from evidence.plots import style
from evidence.plots.figure import Figure

CAPTION = sentence("A caption with {f}.", f=Fact(1, "one", "needs", "count", "a.b"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def drawn(label="fig-x"):
    fig = style.figure(80, 40)
    fig.subplots().plot([0, 1], [0, 1])
    return Figure.from_matplotlib(fig, alt="A line rises.", caption=CAPTION, label=label)


def test_a_drawing_has_no_prologue_and_the_same_bytes_each_time():
    one, other = drawn(), drawn()
    assert one.svg == other.svg
    assert one.svg.startswith("<svg")
    assert "<metadata" not in one.svg
    assert "<!DOCTYPE" not in one.svg


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "needs"}, "fig- and lower-case"),
        ({"alt": " "}, "alternative text"),
        ({"caption": sentence("")}, "no caption"),
        ({"svg": "<p>"}, "not an SVG"),
        ({"svg": SVG.replace("></", "><script></script></")}, "script"),
        ({"svg": SVG.replace("<svg ", "<svg onload='x' ")}, "script"),
    ],
)
def test_what_cannot_be_published_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Figure(**{"svg": SVG, "alt": "It rises.", "caption": CAPTION, "label": "fig-x"} | change)


def test_written_and_read_it_is_the_same(tmp_path):
    figure = drawn()
    path = figure.write(tmp_path)
    assert Figure.read(path) == figure
    assert Figure.read(path.with_suffix(".svg")) == figure


def test_markdown_carries_caption_label_and_alternative_text():
    figure = Figure(SVG, 'It "rises" [x]', CAPTION, "fig-x")
    start, _, rest = figure.markdown.partition("](data:image/svg+xml;base64,")
    assert start == f"![{CAPTION.text}"
    assert rest.endswith('){#fig-x fig-alt="It \\"rises\\" \\[x\\]"}')
    assert figure._repr_mimebundle_()["text/plain"] == "fig-x: A caption with one."


@pytest.mark.parametrize("size", [(0, 50), (167, 50), (100, 236)])
def test_a_figure_fits_the_page(size):
    with pytest.raises(ValueError, match="at most"):
        style.figure(*size)


def test_colours_are_asked_for_by_meaning():
    assert style.colour("place").startswith("#")
    assert style.colour("place") != style.colour("comparison")
    with pytest.raises(ValueError, match="no colour is called 'mauve'"):
        style.colour("mauve")


def contrast(one, other):
    """Contrast ratio of two colours (WCAG 2.2)."""

    def light(colour):
        parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        lin = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("role", "least"),
    # Text needs 4.5 to 1, marks of meaning 3 to 1.
    [
        ("ink", 4.5),
        ("comparison", 4.5),
        ("place", 4.5),
        ("deep", 4.5),
        ("programme", 3.0),
        ("muted", 3.0),
    ],
)
def test_what_is_printed_stands_out_from_the_paper(role, least):
    assert contrast(style.colour(role), style.colour("paper")) >= least


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        (("color", "palette", "ink"), "red", "palette.ink"),
        (("defaults", "evidence", "roles", "place"), "mauve", "roles.place"),
        (("meta",), None, None),
    ],
)
def test_a_broken_brand_is_a_data_error(project, tmp_path, path, value, column):
    content = yaml.safe_load((project.reports / "_brand.yml").read_text(encoding="utf-8"))
    part = content
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    (tmp_path / "fonts").symlink_to(project.reports / "fonts")
    file = tmp_path / "_brand.yml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        style.read_brand(file)
    assert caught.value.faults[0].column == column
