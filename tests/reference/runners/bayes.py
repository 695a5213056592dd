"""The exact normal-normal posterior.

The reference integrates τ up to 30 and no further. That shows in one place: with three studies
and a half-Cauchy prior the tail beyond 30 adds 0.002 of the standard deviation of τ. The package
integrates the whole tail, so its prior is cut here at the same place, without norming it anew.
"""

from dataclasses import dataclass
from typing import Any

from evidence.synthesis import priors
from evidence.synthesis.normal_normal import normal_normal

_TAU_PRIORS = {
    "half_normal": priors.HalfNormal,
    "half_cauchy": priors.HalfCauchy,
    "uniform": priors.Uniform,
}

_LARGEST_TAU = 30.0


@dataclass(frozen=True)
class _Cut:
    prior: priors.TauPrior

    @property
    def support(self):
        low, high = self.prior.support
        return low, min(high, _LARGEST_TAU)

    @property
    def width(self):
        return self.prior.width

    def logpdf(self, tau):
        return self.prior.logpdf(tau)


def bayes_normal_normal(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    tau = dict(args["tau_prior"])
    mu = dict(args["mu_prior"])
    assert mu.pop("family") == "normal"
    fit = normal_normal(
        data[args["columns"]["yi"]],
        data[args["columns"]["vi"]],
        tau_prior=_Cut(_TAU_PRIORS[tau.pop("family")](**tau)),
        mu_prior=priors.Normal(**mu),
    )
    ps = args["quantiles"]
    return {
        "log_marginal_likelihood": fit.log_marginal_likelihood,
        "mu": {
            "mean": fit.mean,
            "sd": fit.sd,
            "quantiles": [fit.quantile(p) for p in ps],
            "prob_gt_0": fit.p_benefit,
        },
        "tau": {
            "mean": fit.tau_mean,
            "sd": fit.tau_sd,
            "quantiles": [fit.tau_quantile(p) for p in ps],
        },
        "prediction": {
            "mean": fit.mean,
            "sd": fit.prediction_sd,
            "quantiles": [fit.prediction_quantile(p) for p in ps],
        },
        "shrinkage_means": fit.shrinkage_means.tolist(),
    }


FUNCTIONS = {"bayes_normal_normal": bayes_normal_normal}
