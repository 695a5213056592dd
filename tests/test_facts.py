import json
import re
import unicodedata

import pypandoc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.facts import (
    Fact,
    Name,
    Sentence,
    clean,
    count_words,
    enumerate_words,
    link,
    md,
    number,
    plain,
    sentence,
    stray_digits,
)

finite = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers()


def fact(value: float = 6.4, text: str = "6.4%") -> Fact:
    return Fact(value, text, "percent", "observation", "tests.fact", ("observations:a/b/c",))


@given(value=finite, lower=st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_fact_survives_json(value: float | None, lower: float | None) -> None:
    before = Fact(value, "text", "unit", "estimate", "a.b", ("effects:x",), lower=lower)
    after = Fact.from_dict(json.loads(json.dumps(before.to_dict())))
    assert after == before and after.id == before.id


def test_identity_ignores_the_text_only() -> None:
    assert fact(text="6%").id == fact(text="6.4%").id
    assert fact(6.4).id != fact(6.5).id


def test_tampered_fact_is_refused() -> None:
    content = fact().to_dict() | {"value": 7.0}
    with pytest.raises(ValueError, match="does not match"):
        Fact.from_dict(content)


def test_fact_must_be_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        fact(float("inf"))


def test_template_with_a_digit_is_refused() -> None:
    with pytest.raises(ValueError, match="digit"):
        sentence("There are 5 trials.")


def test_parts_must_match() -> None:
    with pytest.raises(ValueError, match="differ"):
        sentence("{a} and {b}", a="x")


def test_sentence_keeps_facts_and_shows_plain() -> None:
    text = sentence("In {year}, {value} of *pupils* in {place}.", year=Name("2024/25"),
                    value=fact(), place="St. Helens [x](javascript:y)")  # fmt: skip
    assert text.facts == (fact(),)
    assert "St. Helens [x](javascript:y)" in text.plain and "2024/25" in text.plain
    assert stray_digits(text.text) == []
    assert Sentence.from_dict(text.to_dict()) == text


def test_stray_digits_are_found() -> None:
    assert stray_digits(f"a {fact().md} but 12 here and @fig-needs-2") == ["12"]


HOSTILE = [
    "<script>alert(1)</script>",
    "`#panic()`{=typst}",
    "{{< include /etc/passwd >}}",
    "[x](javascript:alert(1))",
    "$x^2$ @citation ![i](u) # head | cell | 1. list",
    "```{=html}\n<b>\n```",
    "::: {.callout-note}",
    "---\ntitle: x\n---",
    "line\n\n# heading",
    "\\<b>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_md_shows_hostile_text_as_it_is(text: str) -> None:
    html = pypandoc.convert_text(md(text), "json", format="markdown")
    blocks = json.loads(html)["blocks"]
    assert [block["t"] for block in blocks] == ["Para"]
    assert {inline["t"] for inline in blocks[0]["c"]} <= {"Str", "Space"}


@given(st.text(max_size=40))
def test_plain_undoes_md(text: str) -> None:
    escaped = md(text)
    assert len(escaped.splitlines()) <= 1
    shown = plain(escaped)
    assert plain(md(shown)) == shown
    if text.isprintable() and text.isascii():
        assert shown == re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "ftp://x", "http://a b", "//x"]
)
def test_only_web_links(url: str) -> None:
    assert "](" not in link("x", url)


def test_link_cannot_be_closed_early() -> None:
    assert link("x", "https://a.org/(b)_c").endswith("(https://a.org/%28b%29%5Fc)")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 0, "1,235"),
        (-0.04, 1, "0.0"),
        (-0.25, 1, "−0.3"),
        (0.25, 1, "0.3"),
        (2.675, 2, "2.68"),
    ],
)
def test_number(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


def test_words() -> None:
    assert [count_words(n, "trial") for n in (0, 1, 2, 12)] == [
        "no trials", "one trial", "two trials", "12 trials",
    ]  # fmt: skip
    assert enumerate_words(["a", "b", "c"]).plain == "a, b and c"
    assert enumerate_words([]).text == ""


# Signs of other scripts that stand for something, though they are format characters.
_SEEN = set(map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2]))


def test_no_hidden_character_is_left() -> None:
    every = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    left = [
        char for char in every if unicodedata.category(char) in ("Cc", "Cf") and clean(f"a{char}b")
        not in ("ab", "a b")
    ]  # fmt: skip
    assert set(left) <= _SEEN
    assert clean("a\u200b\u202eb \U000e0041\n\n c\ufe0f") == "ab c"
    assert clean("café \N{SNOWMAN} \N{GRINNING FACE}") == "café \N{SNOWMAN} \N{GRINNING FACE}"
