from types import SimpleNamespace

import pytest

from evidence.literature import read_places
from evidence.places import needs_profiles, spend_shares


@pytest.fixture(scope="session")
def places(project):
    return read_places(project)


@pytest.fixture(scope="session")
def local(places, project):
    """Needs and spending of all authorities."""
    profiles = needs_profiles(places, edition_date=project.edition().date)
    spend = {code: spend_shares(places, code) for code in profiles}
    return SimpleNamespace(profiles=profiles, spend=spend)


def coverages(worse):
    """Every kind of coverage that so many needs can have."""
    for some in {0, worse // 2, worse}:
        for home in {0, some // 2, some}:
            yield {
                "worse": worse, "with_trials": some, "with_home_trials": home,
                "without_trials": worse - some,
            }  # fmt: skip
