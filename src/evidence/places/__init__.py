"""Local authorities: their indicators, comparators and needs profiles."""

from evidence.places.authority import Authority, authorities_of_region, authority
from evidence.places.discovery import benjamini_hochberg
from evidence.places.needs import NeedsProfile, NeedsProfiles, needs_profile, needs_profiles
from evidence.places.poisson import poisson
from evidence.places.scatter import Scatter, moderate, successive_differences
from evidence.places.shrinkage import Shrunken, shrink
from evidence.places.spend import SpendShares, spend_shares
from evidence.places.wilson import wilson

__all__ = [
    "Authority",
    "NeedsProfile",
    "NeedsProfiles",
    "Scatter",
    "Shrunken",
    "SpendShares",
    "authorities_of_region",
    "authority",
    "benjamini_hochberg",
    "moderate",
    "needs_profile",
    "needs_profiles",
    "poisson",
    "shrink",
    "spend_shares",
    "successive_differences",
    "wilson",
]
