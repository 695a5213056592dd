"""Bias and sensitivity: what missing or small-study results may have done to a mean."""

from evidence.synthesis.bias.asymmetry import AsymmetryResults, asymmetry
from evidence.synthesis.bias.excess_significance import (
    ExcessSignificanceResults,
    excess_significance,
)
from evidence.synthesis.bias.fail_safe import FailSafeResults, fail_safe
from evidence.synthesis.bias.henmi_copas import HenmiCopasResults, henmi_copas
from evidence.synthesis.bias.p_values import p_values
from evidence.synthesis.bias.pet_peese import PetPeeseResults, pet_peese
from evidence.synthesis.bias.rank_correlation import RankCorrelationResults, rank_correlation
from evidence.synthesis.bias.selection import SelectionResults, selection_model
from evidence.synthesis.bias.trim_and_fill import TrimAndFillResults, trim_and_fill

__all__ = [
    "AsymmetryResults",
    "ExcessSignificanceResults",
    "FailSafeResults",
    "HenmiCopasResults",
    "PetPeeseResults",
    "RankCorrelationResults",
    "SelectionResults",
    "TrimAndFillResults",
    "asymmetry",
    "excess_significance",
    "fail_safe",
    "henmi_copas",
    "p_values",
    "pet_peese",
    "rank_correlation",
    "selection_model",
    "trim_and_fill",
]
