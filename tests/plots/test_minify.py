"""A drawing said in fewer bytes draws the same."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.plots import style
from evidence.plots.minify import _path, smaller

NUMBER = st.integers(-50_000, 50_000).map(lambda value: value / 100)


def drawn(words: str = "No trial, 12% − 3%", rotated: bool = False) -> str:
    """What matplotlib writes for lines, marks, letters and a clip."""
    fig = style.figure(80, 40)
    ax = fig.add_subplot()
    ax.plot([0, 1, 2], [0.1, 0.7, 0.4], marker="o", color=style.colour("place"))
    ax.text(0.2, 0.3, words, rotation=30 if rotated else 0)
    stream = io.StringIO()
    fig.savefig(stream, format="svg", metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]


def picture(svg: str, tmp_path) -> np.ndarray:
    """The drawing as Typst, which makes the PDF, paints it: grey values."""
    import typst
    from PIL import Image

    (tmp_path / "x.svg").write_text(svg, encoding="utf-8")
    main = tmp_path / "x.typ"
    main.write_text('#set page(width: auto, height: auto, margin: 0pt)\n#image("x.svg")')
    painted = typst.compile(main, format="png", ppi=200)
    return np.asarray(Image.open(io.BytesIO(painted)).convert("L"), dtype=int)


@pytest.mark.parametrize(
    ("words", "share"),
    [("No trial, 12% − 3%", 0.55), (r"$\hat\theta_i^2$ is a formula", 0.65)],
)
@pytest.mark.parametrize("rotated", [False, True])
def test_the_same_picture_in_fewer_bytes(words, share, rotated, tmp_path) -> None:
    long = drawn(words, rotated)
    short = smaller(long)
    assert len(short) < share * len(long)
    before, after = picture(long, tmp_path), picture(short, tmp_path)
    assert before.shape == after.shape
    assert before.min() < 100
    assert np.abs(before - after).max() < 60  # a hundredth of a point on the edge of a stroke


def test_every_name_that_is_called_is_there_once() -> None:
    root = ET.fromstring(smaller(drawn()))
    names = [element.get("id") for element in root.iter() if element.get("id")]
    text = ET.tostring(root, encoding="unicode")
    called = set(re.findall(r'href="#(\w+)"|url\(#(\w+)\)', text))
    assert len(names) == len(set(names))
    assert {a or b for a, b in called} == set(names)


@given(st.lists(st.tuples(st.sampled_from("MLQC"), *[NUMBER] * 6), min_size=1, max_size=30))
def test_relative_steps_end_where_the_path_ended(parts) -> None:
    size = {"M": 1, "L": 1, "Q": 2, "C": 3}
    parts = [("M", *parts[0][1:]), *parts]
    long = " ".join(
        command + " " + " ".join(str(value) for value in values[: 2 * size[command]])
        for command, *values in parts
    )
    x = y = 0.0
    for command, rest in re.findall(r"([a-z])([^a-z]*)", _path(long)):
        moves = [float(text) for text in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        x += moves[0] if command == "h" else 0 if command == "v" else moves[-2]
        y += moves[0] if command == "v" else 0 if command == "h" else moves[-1]
    command, *values = parts[-1]
    end = values[2 * size[command] - 2 : 2 * size[command]]
    assert (x, y) == pytest.approx(end, abs=1e-6)
