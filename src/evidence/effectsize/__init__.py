"""From what a paper reports to an effect size and its variance."""

from evidence.effectsize.calculate import EffectSizes, escalc
from evidence.effectsize.registry import MEASURES
from evidence.effectsize.small_sample import small_sample_factor

__all__ = ["MEASURES", "EffectSizes", "escalc", "small_sample_factor"]
