"""The exact normal-normal posterior."""

from typing import Any

from evidence.synthesis import priors
from evidence.synthesis.normal_normal import normal_normal

_TAU_PRIORS = {
    "half_normal": priors.HalfNormal,
    "half_cauchy": priors.HalfCauchy,
    "uniform": priors.Uniform,
}


def bayes_normal_normal(args: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    tau = dict(args["tau_prior"])
    mu = dict(args["mu_prior"])
    assert mu.pop("family") == "normal"
    fit = normal_normal(
        data[args["columns"]["yi"]],
        data[args["columns"]["vi"]],
        tau_prior=_TAU_PRIORS[tau.pop("family")](**tau),
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
