"""Generalised linear mixed models: meta-analysis of counts by their exact distribution."""

from evidence.synthesis.glmm.glmm import glmm
from evidence.synthesis.glmm.results import GlmmResults

__all__ = ["GlmmResults", "glmm"]
