"""What all briefings share: the trials, the estimates made of them, and their figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from evidence.files import sha256_of_files, write_atomically, write_parquet
from evidence.literature import bridge, inputs_sha256, read_trials
from evidence.project import Project

if TYPE_CHECKING:
    from evidence.literature import Trials
    from evidence.plots.figure import Figure
    from evidence.tables import Block

_FRAMES = ("effects", "estimates", "silent")
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The trials and what they say, the same for every place.

    Attributes
    ----------
    trials : Trials
        The trials data package.
    bridge : pandas.DataFrame
        Which need speaks to which construct.
    effects, estimates, silent : pandas.DataFrame
        From :mod:`evidence.synthesis.estimates`.
    folder : pathlib.Path
        Where the figures are.
    """

    trials: Trials
    bridge: pd.DataFrame
    effects: pd.DataFrame
    estimates: pd.DataFrame
    silent: pd.DataFrame
    folder: Path

    @cached_property
    def sha256(self) -> str:
        """Hash of all that a briefing shows of the trials."""
        digest = hashlib.sha256()
        tables = (self.trials.studies, self.trials.programmes, self.trials.measures)
        counts = (len(self.trials.effects), len(self.trials.unprinted))
        digest.update(repr(counts).encode())
        for frame in (
            self.trials.constructs, *tables, self.bridge, self.effects, self.estimates, self.silent
        ):  # fmt: skip
            text = frame.drop(columns="_row", errors="ignore").to_json(
                date_format="iso", double_precision=15
            )
            digest.update(text.encode())
        return digest.hexdigest()

    @cached_property
    def constructs(self) -> pd.DataFrame:
        """Constructs by their id."""
        return self.trials.constructs.set_index("construct_id", drop=False)

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Studies by their id."""
        return self.trials.studies.set_index("study_id", drop=False)

    @cached_property
    def programmes(self) -> pd.Series[str]:
        """From programme_id to name."""
        return self.trials.programmes.set_index("programme_id")["name"]

    def construct(self, construct_id: str) -> pd.Series[Any]:
        """One construct."""
        return cast("pd.Series[Any]", self.constructs.loc[construct_id])

    def study(self, study_id: object) -> pd.Series[Any]:
        """One study."""
        return cast("pd.Series[Any]", self.studies.loc[str(study_id)])

    def programme(self, study_id: object) -> str:
        """Name of the programme that a study tested."""
        name = self.programmes.get(self.study(study_id)["programme_id"])
        return str(name) if isinstance(name, str) else "not stated"

    @cached_property
    def _chosen(self) -> dict[str, pd.DataFrame]:
        rows = self.effects[self.effects["chosen"]]
        years = rows["study_id"].map(self.studies["year"]).astype(float)
        ordered = rows.assign(year=years).sort_values(
            ["british_irish", "year", "effect_id"], ascending=[False, True, True]
        )
        return {str(name): part for name, part in ordered.groupby("construct_id")}

    def chosen(self, construct_id: str) -> pd.DataFrame:
        """The one row of each independent trial of a construct, British and Irish ones first."""
        return self._chosen.get(construct_id, self.effects.iloc[:0])

    @cached_property
    def _unheard(self) -> dict[str, pd.DataFrame]:
        ordered = self.silent.sort_values(["british_irish", "source"], ascending=[False, True])
        return {str(name): part for name, part in ordered.groupby("construct_id")}

    def unheard(self, construct_id: str) -> pd.DataFrame:
        """Trials that measured a construct and have no figure that can be used."""
        return self._unheard.get(construct_id, self.silent.iloc[:0])

    @cached_property
    def _estimates(self) -> dict[str, pd.Series[Any]]:
        return {str(row["estimate_id"]): row for _, row in self.estimates.iterrows()}

    def estimate(self, construct_id: str, stratum: str, model: str) -> pd.Series[Any] | None:
        """One row of the estimates; None where there is none."""
        return self._estimates.get(f"{construct_id}/{stratum}/{model}")

    def linked(self, indicator_id: str, *, silent: bool = False) -> list[str]:
        """Constructs with trials that speak to a need, those of the same outcome first.

        Parameters
        ----------
        indicator_id : str
            The need.
        silent : bool
            Whether constructs count whose trials print no figure.
        """
        return [
            name
            for name in self._links.get(indicator_id, ())
            if self.k(name, "all") or (silent and len(self.unheard(name)))
        ]

    @cached_property
    def _links(self) -> dict[str, list[str]]:
        rows = self.bridge[self.bridge["construct_id"].notna()]
        order = rows.assign(far=rows["link"] != "same-outcome").sort_values(
            ["indicator_id", "far", "construct_id"], kind="stable"
        )
        return {
            str(need): [str(name) for name in part["construct_id"]]
            for need, part in order.groupby("indicator_id")
        }

    def k(self, construct_id: str, stratum: str) -> int:
        """Independent trials with figures in a construct and stratum."""
        row = self.estimate(construct_id, stratum, "ladder")
        return 0 if row is None else int(row["k"])

    @cached_property
    def _shown(self) -> dict[tuple[str, int], Block]:
        return {}

    def shown(self, construct_id: str, level: int) -> Block:
        """What every briefing says of a construct, put together once."""
        from evidence.briefing.outcomes import outcome_block

        key = (construct_id, level)
        if key not in self._shown:
            self._shown[key] = outcome_block(self, construct_id, level=level)
        return self._shown[key]

    def figure(self, construct_id: str) -> Figure:
        """The forest plot of a construct, drawn once for all briefings."""
        from evidence.plots.figure import Figure

        return Figure.read(self.folder / "figures" / f"{label_of(construct_id)}.json")


def label_of(construct_id: str) -> str:
    """Label of a construct's figure."""
    return "fig-" + construct_id.replace("_", "-").lower()


def evidence_sha256(project: Project) -> str:
    """Hash of all that the evidence depends on: data, code, brand."""
    parts = [
        inputs_sha256(project, "trials", "bridge"),
        sha256_of_files(_PACKAGE, "*.py"),
        sha256_of_files(project.reports, "_brand.yml"),
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def evidence_pack(
    project: Project, *, progress: Callable[[str], None] = lambda _: None
) -> Evidence:
    """The evidence, synthesised and drawn if anything it depends on has changed.

    Parameters
    ----------
    project : Project
        The project; frames and figures are kept under ``build/evidence``.
    progress : callable
        Called with the label of each construct whose figure is drawn.

    Returns
    -------
    Evidence
    """
    folder = project.build / "evidence"
    stamp = folder / "made_from.json"
    wanted = {"sha256": evidence_sha256(project)}
    trials, links = read_trials(project), bridge(project)
    try:
        if json.loads(stamp.read_text(encoding="utf-8")) == wanted:
            frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
            return Evidence(trials, links, **frames, folder=folder)
    except (OSError, ValueError):
        pass
    from evidence.briefing.forest import draw
    from evidence.synthesis.estimates import construct_effects, estimates, silent_trials

    stamp.unlink(missing_ok=True)
    effects = construct_effects(trials)
    frames = {
        "effects": effects,
        "estimates": estimates(trials, effects),
        "silent": silent_trials(trials, effects),
    }
    evidence = Evidence(trials, links, **frames, folder=folder)
    for name, frame in frames.items():
        write_parquet(frame, folder / f"{name}.parquet")
    for construct_id in evidence.constructs.index:
        if evidence.k(construct_id, "all"):
            draw(evidence, construct_id).write(folder / "figures")
            progress(construct_id)
    # Last, so that a run that was killed leaves no stamp.
    write_atomically(stamp, json.dumps(wanted) + "\n")
    return evidence
