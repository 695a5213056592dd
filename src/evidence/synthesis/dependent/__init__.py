"""Dependent effects: multilevel models, working covariances, robust variance and aggregation."""

from evidence.synthesis.dependent.aggregate import aggregate_effects
from evidence.synthesis.dependent.che import CheResults, che
from evidence.synthesis.dependent.comparison import likelihood_ratio
from evidence.synthesis.dependent.covariance import (
    Covariance,
    autoregressive,
    compound_symmetric,
    diagonal,
    from_blocks,
    from_columns,
)
from evidence.synthesis.dependent.influence import Influence, influence
from evidence.synthesis.dependent.multilevel import (
    multilevel,
    multilevel_arrays,
    random_intercepts,
)
from evidence.synthesis.dependent.multilevel_results import MultilevelResults
from evidence.synthesis.dependent.robu import RobuResults, robu
from evidence.synthesis.dependent.robust import RobustResults, robust

__all__ = [
    "CheResults",
    "Covariance",
    "Influence",
    "MultilevelResults",
    "RobuResults",
    "RobustResults",
    "aggregate_effects",
    "autoregressive",
    "che",
    "compound_symmetric",
    "diagonal",
    "from_blocks",
    "from_columns",
    "influence",
    "likelihood_ratio",
    "multilevel",
    "multilevel_arrays",
    "random_intercepts",
    "robu",
    "robust",
]
