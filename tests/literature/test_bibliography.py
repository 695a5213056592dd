"""Every study and work can be cited, once, with links that lead to the web only."""

import json
import re

import pytest

from evidence.errors import DataError
from evidence.literature import read_trials, references


@pytest.fixture(scope="module")
def works(project):
    return {work["id"]: work for work in references(read_trials(project), project)}


def test_every_study_and_every_framework_work_is_there_once(project, works):
    studies = set(read_trials(project).studies["study_id"])
    assert set(works) == studies | {"axfordlittle2004", "axfordlittle2006", "rr510"}


def test_an_article_has_its_place(works):
    work = works["hutchings2007"]
    assert work["type"] == "article-journal"
    assert (work["container-title"], work["volume"], work["issue"], work["page"]) == (
        "BMJ", "334", "7595", "678",
    )  # fmt: skip
    assert work["issued"] == {"date-parts": [[2007]]}
    assert work["author"][0] == {"family": "Hutchings", "given": "J."}
    # What pandoc prints as "et al.".
    assert work["author"][-1] == {"literal": "others"}
    assert work["URL"] == "https://doi.org/10.1136/bmj.39126.620799.55"


def test_initials_and_institutions(works):
    assert {"family": "Lange", "given": "A. -M."} in works["lange2018"]["author"]
    assert {"literal": "Chapin Hall Center for Children"} in works["westat2002ky"]["author"]
    assert {"family": "Simkiss", "given": "D. E."} in works["simkiss2013"]["author"]


def test_unknown_authors_are_left_out(works):
    assert "author" not in works["temple2021"]


def test_kinds_of_work(works):
    assert works["foxcroft2015de"]["type"] == "paper-conference"
    assert works["harwin2016"]["type"] == "report"
    assert works["harwin2016"]["publisher"] == "Lancaster University"
    assert works["rr510"]["number"] == "510"


def test_links_lead_to_the_web(works):
    for work in works.values():
        assert re.fullmatch(r"https?://\S+", work.get("URL", "https://example.org"))
        assert not work.get("DOI", "10.").startswith("http")
        assert work["title"]


def test_it_is_json_that_pandoc_reads(works, tmp_path):
    import pypandoc

    (tmp_path / "works.json").write_text(json.dumps(list(works.values())), encoding="utf-8")
    text = pypandoc.convert_text(
        "@hutchings2007 and @temple2021 [@rr510]",
        "plain",
        format="markdown",
        extra_args=["--citeproc", f"--bibliography={tmp_path / 'works.json'}"],
    )
    assert "Hutchings et al. (2007)" in text.replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "missing-file"),
        ("[", "bad-json"),
        ('{"id": "a"}', "bad-works"),
        ("[1]", "bad-works"),
        ('[{"id": 3}]', "bad-works"),
        ('[{"id": "a", "URL": "javascript:alert(1)"}]', "not-a-web-address"),
        ('[{"id": "hutchings2007"}]', "duplicate-key"),
    ],
)
def test_works_that_cannot_be_cited_are_refused(project, tmp_path, text, code):
    from evidence.project import Project

    (tmp_path / "literature").mkdir()
    if text is not None:
        (tmp_path / "literature" / "works.json").write_text(text)
    with pytest.raises(DataError) as caught:
        references(read_trials(project), Project(tmp_path))
    assert caught.value.faults[0].code == code
