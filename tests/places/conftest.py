import pytest

from evidence.literature import read_places
from evidence.places import needs_profiles


@pytest.fixture(scope="session")
def places(project):
    return read_places(project)


@pytest.fixture(scope="session")
def profiles(places, project):
    return needs_profiles(places, edition_date=project.edition().date)
