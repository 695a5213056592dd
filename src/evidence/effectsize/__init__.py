"""From what a paper reports to an effect size and its variance."""

from evidence.effectsize.calculate import EffectSizes, escalc
from evidence.effectsize.clusters import DEFAULT_CLUSTER_SIZE, DEFAULT_ICC, design_effect
from evidence.effectsize.codes import ASSUMPTIONS, DERIVATIONS, FLAGS, METRICS, REASONS
from evidence.effectsize.convert import (
    convert_effect_sizes,
    convert_g_to_log_or,
    convert_log_or_to_g,
    convert_log_or_to_log_rr,
    convert_log_rr_to_log_or,
)
from evidence.effectsize.registry import MEASURES
from evidence.effectsize.rows import effect_sizes
from evidence.effectsize.small_sample import small_sample_factor

__all__ = [
    "ASSUMPTIONS",
    "DEFAULT_CLUSTER_SIZE",
    "DEFAULT_ICC",
    "DERIVATIONS",
    "FLAGS",
    "MEASURES",
    "METRICS",
    "REASONS",
    "EffectSizes",
    "convert_effect_sizes",
    "convert_g_to_log_or",
    "convert_log_or_to_g",
    "convert_log_or_to_log_rr",
    "convert_log_rr_to_log_or",
    "design_effect",
    "effect_sizes",
    "escalc",
    "small_sample_factor",
]
