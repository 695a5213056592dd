"""Models and diagnostics against other libraries: the same data, in one process, in one run.

Each figure is a median in milliseconds. "numbers" is the NumPy core, "call" the public function
with its results object, which is what the ratio to a peer's public call is taken of. A peer that
is not installed, or does not do the task, has no figure.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from evidence.synthesis import HalfNormal, fit_arrays, meta, normal_normal
from evidence.synthesis.bias import selection_model
from evidence.synthesis.bias.selection_likelihood import fit_selection_arrays
from evidence.synthesis.bias.weight_functions import StepFunction
from evidence.synthesis.dependent import (
    compound_symmetric,
    diagonal,
    multilevel,
    multilevel_arrays,
    random_intercepts,
)
from evidence.synthesis.diagnostics import gosh, influence
from evidence.synthesis.refits import leave_one_out

Work = Callable[[], Any]
SEED = 510
PEERS = ("PyMetaAnalysis", "PyMARE", "statsmodels", "metafor")


def median_ms(work: Work, *, budget: float = 0.4) -> float:
    """Median time of a call in milliseconds; at least three calls, one of them first unmeasured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()
        times: list[float] = []
        end = time.perf_counter() + budget
        while len(times) < 3 or (time.perf_counter() < end and len(times) < 1000):
            begin = time.perf_counter()
            work()
            times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))


def data(k: int, moderators: int = 0) -> pd.DataFrame:
    """Studies drawn from a random-effects model."""
    rng = np.random.default_rng([SEED, k, moderators])
    vi = rng.uniform(0.01, 0.2, k)
    frame = pd.DataFrame({f"x{i + 1}": rng.normal(size=k) for i in range(moderators)})
    own = frame.to_numpy().reshape(k, moderators).sum(axis=1)
    frame["yi"] = 0.2 + 0.1 * own + rng.normal(0, np.sqrt(vi + 0.04))
    frame["vi"] = vi
    frame["study"] = np.arange(k) // 4
    return frame


class Peers:
    """Public calls of the other libraries, where they are installed."""

    def __init__(self) -> None:
        self.meta_analyze = self._load("meta_analyze")
        self.estimators = self._load("pymare.estimators")
        self.pymare = self._load("pymare")
        self.statsmodels = self._load("statsmodels.stats.meta_analysis")

    @staticmethod
    def _load(name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return importlib.import_module(name)
            except ImportError:
                return None

    def reml(self, frame: pd.DataFrame) -> dict[str, Work]:
        y, v = frame["yi"].to_numpy(), frame["vi"].to_numpy()
        work: dict[str, Work] = {}
        if self.meta_analyze:
            work["PyMetaAnalysis"] = lambda: self.meta_analyze.meta_analysis(
                frame, effect="yi", variance="vi", tau2_method="REML"
            )
        if self.estimators:
            work["PyMARE"] = lambda: self.estimators.VarianceBasedLikelihoodEstimator(
                method="reml"
            ).fit(y=y[:, None], v=v[:, None], X=np.ones((len(y), 1)))
        if self.statsmodels:
            work["statsmodels"] = lambda: self.statsmodels.combine_effects(
                y, v, method_re="iterated"
            )
        return work

    def regression(self, frame: pd.DataFrame) -> dict[str, Work]:
        work: dict[str, Work] = {}
        if self.meta_analyze:
            work["PyMetaAnalysis"] = lambda: self.meta_analyze.meta_regression(
                frame, effect="yi", variance="vi", moderators=["x1", "x2"]
            )
        if self.estimators:
            X = np.column_stack([np.ones(len(frame)), frame[["x1", "x2"]]])
            work["PyMARE"] = lambda: self.estimators.VarianceBasedLikelihoodEstimator(
                method="reml"
            ).fit(y=frame[["yi"]].to_numpy(), v=frame[["vi"]].to_numpy(), X=X)
        return work

    def leave_one_out(self, frame: pd.DataFrame) -> dict[str, Work]:
        work: dict[str, Work] = {}
        if self.meta_analyze:
            fitted = self.meta_analyze.meta_analysis(
                frame, effect="yi", variance="vi", tau2_method="REML"
            )
            work["PyMetaAnalysis"] = fitted.leave_one_out
        if self.estimators:

            def refit() -> None:
                for i in range(len(frame)):
                    part = frame.drop(index=i)
                    self.reml(part)["PyMARE"]()

            work["PyMARE"] = refit
        return work


METAFOR = """
suppressMessages(library(metafor)); options(warn=-1)
d <- read.csv("{path}"); expr <- quote({expression})
invisible(eval(expr)); n <- 5
t <- sapply(1:n, function(i) system.time(eval(expr))[["elapsed"]]); cat(1000 * median(t))
"""


def metafor_ms(frame: pd.DataFrame, expression: str) -> float | None:
    """The same with metafor, where R and metafor are installed."""
    import tempfile

    r = shutil.which("Rscript")
    if r is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        frame.to_csv(file.name, index=False)
        done = subprocess.run(
            [r, "-e", METAFOR.format(path=file.name, expression=expression)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return float(done.stdout) if done.returncode == 0 else None


@dataclass(frozen=True)
class Task:
    """One row of the table.

    Attributes
    ----------
    name : str
        What is done.
    goal : float
        What the numbers should take at most, in ms.
    frame : pandas.DataFrame
        The data, for metafor.
    call : callable
        The public call.
    numbers : callable, optional
        The NumPy core, where it is a function of its own.
    peers : dict
        Public calls of other libraries by name.
    metafor : str
        The expression in R; empty where there is none.
    """

    name: str
    goal: float
    frame: pd.DataFrame
    call: Work
    numbers: Work | None = None
    peers: dict[str, Work] = field(default_factory=dict)
    metafor: str = ""


def simple(peers: Peers, k: int, goal: float) -> Task:
    d = data(k)
    y, v, one = d["yi"].to_numpy(), d["vi"].to_numpy(), np.ones((k, 1))
    return Task(
        f"REML, k = {k:,}", goal, d, lambda: meta("yi", "vi", data=d).conf_int(),
        lambda: fit_arrays(y, v, one), peers.reml(d), "rma(yi, vi, data=d)",
    )  # fmt: skip


def regression(peers: Peers) -> Task:
    d = data(100, 2)
    y, v = d["yi"].to_numpy(), d["vi"].to_numpy()
    X = np.column_stack([np.ones(100), d[["x1", "x2"]]])
    frame = pd.DataFrame(X, columns=["intercept", "x1", "x2"])
    return Task(
        "meta-regression, 2 moderators, k = 100", 0.4, d,
        lambda: meta("yi", "vi", data=d, exog=frame).conf_int(), lambda: fit_arrays(y, v, X),
        peers.regression(d), "rma(yi, vi, mods=~x1+x2, data=d)",
    )  # fmt: skip


def diagnostics(peers: Peers) -> list[Task]:
    d, few = data(100), data(13)
    fit, small = meta("yi", "vi", data=d), meta("yi", "vi", data=few)
    return [
        Task("leave-one-out, k = 100", 2, d, lambda: leave_one_out(fit),
             peers=peers.leave_one_out(d), metafor="leave1out(rma(yi, vi, data=d))"),
        Task("influence, k = 100", 5, d, lambda: influence(fit),
             metafor="influence(rma(yi, vi, data=d))"),
        Task("GOSH, 1,000 subsets, k = 13", 10, few,
             lambda: gosh(small, subsets=1000, seed=SEED),
             metafor="gosh(rma(yi, vi, data=d), subsets=1000, progbar=FALSE)"),
    ]  # fmt: skip


def selection() -> Task:
    d = data(50)
    y, v, one = d["yi"].to_numpy(), d["vi"].to_numpy(), np.ones((50, 1))
    weights = StepFunction.of(y, v, [0.025], None, "greater")
    return Task(
        "three-parameter selection model, k = 50", 5, d,
        lambda: selection_model(meta("yi", "vi", data=d, method="ML"), steps=[0.025]),
        lambda: fit_selection_arrays(y, v, one, weights),
        metafor='selmodel(rma(yi, vi, data=d, method="ML"), type="stepfun", steps=.025)',
    )  # fmt: skip


def posterior() -> Task:
    d = data(13)
    y, v = d["yi"].to_numpy(), d["vi"].to_numpy()
    return Task("exact normal-normal posterior, k = 13", 1, d,
                lambda: normal_normal(y, v, tau_prior=HalfNormal(0.5)))  # fmt: skip


def three_level(k: int, goal: float, rho: float = 0.0) -> Task:
    d = data(k).assign(effect=range(k))
    V = compound_symmetric(d["vi"], d["study"], rho) if rho else diagonal(d["vi"])
    y, one = d["yi"].to_numpy(), np.ones((k, 1))
    terms = random_intercepts(d["study"], d["effect"])
    name = f"three-level REML, k = {k:,}" + (", correlated errors" if rho else "")
    R = f"vcalc(vi, study, effect, rho={rho}, data=d)" if rho else "vi"
    return Task(
        name, goal, d,
        lambda: multilevel("yi", V, d, random="~ 1 | study/effect").conf_int(),
        lambda: multilevel_arrays(y, V, one, terms),
        metafor=f"rma.mv(yi, {R}, random=~1|study/effect, data=d)",
    )  # fmt: skip


def tasks(peers: Peers) -> list[Task]:
    return [
        *(simple(peers, k, goal) for k, goal in ((13, 0.1), (50, 0.1), (1000, 0.3))),
        regression(peers),
        *diagnostics(peers),
        selection(),
        three_level(56, 1),
        three_level(1000, 10),
        three_level(56, 2, rho=0.6),
        posterior(),
    ]


def growth(k: int) -> str:
    """Times of the numbers for k studies, in a line."""
    d = data(k)
    y, v, one = d["yi"].to_numpy(), d["vi"].to_numpy(), np.ones((k, 1))
    common = median_ms(lambda: fit_arrays(y, v, one, method="EE"))
    random_effects = median_ms(lambda: fit_arrays(y, v, one))
    line = f"k = {k:>9,}: common effect {common:9.2f}, random effects {random_effects:9.2f}"
    if k <= 100_000:
        terms = random_intercepts(d["study"], np.arange(k))
        V = diagonal(v)
        line += f", three levels {median_ms(lambda: multilevel_arrays(y, V, one, terms)):9.1f}"
    return line


def main() -> None:
    peers = Peers()
    header = f"{'task':42} {'goal':>6} {'numbers':>8} {'call':>8}"
    print(header + "".join(f" {name:>16}" for name in PEERS) + "   (ms; in brackets: times ours)")
    for task in tasks(peers):
        own = median_ms(task.call)
        core = f"{median_ms(task.numbers):8.2f}" if task.numbers else f"{'':8}"
        line = f"{task.name:42} {task.goal:6g} {core} {own:8.2f}"
        others = {name: median_ms(work) for name, work in task.peers.items()}
        if task.metafor and (other := metafor_ms(task.frame, task.metafor)):
            others["metafor"] = other
        for name in PEERS:
            text = f"{others[name]:.1f} ({others[name] / own:.0f})" if name in others else "-"
            line += f" {text:>16}"
        print(line)
    if shutil.which("Rscript") is None:
        print("metafor: not compared, as R is not on PATH")
    print("\nGrowth with the number of studies (ms)")
    for k in (100, 1_000, 10_000, 100_000, 1_000_000):
        print(growth(k))


if __name__ == "__main__":
    main()
