"""What a manifest says is to be done again: stages, parameters, and what only people hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import nbformat
from jsonschema import Draft202012Validator

from clamlab import resources
from clamlab.cli.cleaning import SOMEBODY, may_name
from clamlab.cli.collecting import SETTINGS
from clamlab.cli.parameters import parameters_of
from clamlab.cli.repeatable import codes_in
from clamlab.cli.rerun.programs import differing
from clamlab.io import read_json
from clamlab.selection.decision import PARAMETER, RULE, whose
from clamlab.study import ARTEFACTS, StudyError
from clamlab.study.fingerprints import fingerprint
from clamlab.study.machine import made_with

Json = dict[str, Any]
NO_RECORD = "what it was run with is not on record"
NOTHING = sha256(b"").hexdigest()  # how a record says that a file was not there
PLACES = ("TEMPLATE", "ANATOMY")  # of files outside the study: a manifest holds names alone
OF_MACHINE = ("platform", "processor")  # what can be told before anything runs


@dataclass(frozen=True)
class Plan:
    """A manifest, read: what to run with what.

    Attributes
    ----------
    manifest : dict
    digest : str
        sha256 of its file.
    parameters : dict of str to dict
        For each stage to be run, the values of its notebook's parameters.
    told : list of str
        What a person should know before anything runs.
    last : str
        Two digits: later stages are not asked for.
    """

    manifest: Json = field(repr=False)
    digest: str
    parameters: dict[str, Json]
    told: list[str]
    last: str

    @property
    def stages(self) -> list[str]:
        """The stages to be run, in order."""
        return list(self.parameters)

    @property
    def left_out(self) -> dict[str, str]:
        """The stages that were made then and are not made again, each with why."""
        stages = self.manifest["stages"].items()
        made = [s for s, told in stages if told["status"] != "missing" and s not in self.parameters]
        return {s: NO_RECORD if s[:2] <= self.last else f"--to {self.last}" for s in made}

    @property
    def without_record(self) -> list[str]:
        """The stages that are asked for and cannot be made again."""
        return [stage for stage, why in self.left_out.items() if why == NO_RECORD]

    @property
    def simulated(self) -> bool:
        """Whether the study makes its own scans and persons."""
        return bool(self.settings.get("simulated"))

    @property
    def settings(self) -> Json:
        """How the study was begun."""
        kept = self.manifest["study"]["settings"]
        return {name: kept[name] for name in SETTINGS if name in kept}

    @property
    def choice(self) -> Json | None:
        """A person's number of clusters, with who decided; None where rule or parameter did."""
        told = self.manifest["choices"]["n_clusters"] or {}
        number = told.get("n_clusters")
        rule = {"n_clusters": told.get("recommended") or number}
        by = whose({**told, "recommended": rule})
        if number is None or by.lower() in (RULE, PARAMETER):
            return None
        return {"n_clusters": number, "decided_by": by}

    def inputs(self, stage: str) -> Mapping[str, str]:
        """Return the sha256 of what a stage read."""
        return self.manifest["stages"].get(stage, {}).get("inputs", {})

    @property
    def by_hand(self) -> dict[str, str]:
        """The files that only people make and that these stages read: name to sha256."""
        return {
            name: was
            for stage in self.stages
            for name, was in self.inputs(stage).items()
            if name in ARTEFACTS and ARTEFACTS[name].by_hand and was != NOTHING
        }


def read_plan(path: Path, *, last: str, given: Mapping[str, Any]) -> Plan:
    """Read a manifest, and say what of it will be run.

    Parameters
    ----------
    path : path
        A ``manifest.json`` of ``clamlab report``.
    last : str
        The last stage's two digits.
    given : mapping of str to object
        Parameters that a manifest cannot hold: places of files, subjects, numbers of processes.

    Raises
    ------
    StudyError
        If it is no manifest, holds no stage that was run, or a parameter is missing, or given
        although the manifest holds it.
    """
    manifest = read_json(path, expected="a manifest that clamlab report wrote")
    rules = read_json(resources.schemas() / "manifest.schema.json", expected="a contract")
    if wrong := [e.message for e in Draft202012Validator(rules).iter_errors(manifest)]:
        raise StudyError(
            f"{path} is not what clamlab report writes: {'; '.join(wrong[:3])[:400]}. Make it "
            "anew with 'clamlab report STUDY'"
        )
    stages = {
        stage: told
        for stage, told in manifest["stages"].items()
        if "parameters" in told and stage[:2] <= last
    }
    if not stages:
        raise StudyError(f"{path} holds no stage up to {last} that was run: nothing can be rerun")
    if not any("outputs" in told for told in stages.values()):
        raise StudyError(
            f"{path} is of an export, which holds no sha256 of a study's files (a small file with "
            "persons could be guessed by it), so that nothing could be compared: take "
            "report/manifest.json of the study itself"
        )
    said = _of_programs(stages) + _of_states(stages)
    parameters = {stage: _parameters(stage, told, given, said) for stage, told in stages.items()}
    _check_given(parameters, stages, given)
    plan = Plan(manifest, fingerprint(path)["sha256"], parameters, said, last)
    said += [f"{s} cannot be made again: {NO_RECORD}" for s in plan.without_record]
    if plan.choice and "04_n_clusters" in parameters:
        parameters["04_n_clusters"]["N_CLUSTERS"] = None  # a person's number stands in choice.json
    return plan


def _of_programs(stages: Mapping[str, Json]) -> list[str]:
    """Say first in what this machine and its programs differ from those of the manifest."""
    now = made_with()
    said: dict[str, list[str]] = {}
    for stage, told in stages.items():
        odd = differing(told.get("versions"), now["versions"])
        if told.get("machine"):
            odd += differing(*(_known_before(of) for of in (told["machine"], now["machine"])))
        for name, then, here in odd:
            said.setdefault(f"{name}: {then} then, {here} here", []).append(stage)
    lines = [f"{text} ({_named(where, stages)})" for text, where in said.items()]
    if silent := [stage for stage, told in stages.items() if not told.get("machine")]:
        lines.append(f"the machine is not on record ({_named(silent, stages)})")
    codes = codes_in(resources.notebooks())
    if other := [s for s, told in stages.items() if told.get("notebook", codes[s]) != codes[s]]:
        lines.append(
            f"notebooks with other code than this version's: {', '.join(other)}; they were edited, "
            "or are of another version"
        )
    if unknown := [s for s, told in stages.items() if not told.get("notebook")]:
        lines.append(f"the code of notebooks is not on record ({_named(unknown, stages)})")
    return lines


def _known_before(machine: Json) -> Json:
    return {name: machine[name] for name in OF_MACHINE if name in machine}


def _named(where: list[str], stages: Mapping[str, Json]) -> str:
    return "all stages" if len(where) == len(stages) else ", ".join(where)


def _of_states(stages: Mapping[str, Json]) -> list[str]:
    said = [
        f"{stage} was {told['status']} when the manifest was written ({told['why']}): what it says "
        "of its inputs and outputs need not belong together"
        for stage, told in stages.items()
        if told["status"] != "fresh"
    ]
    built = {s: told["built_on_stale"] for s, told in stages.items() if told.get("built_on_stale")}
    return said + [f"{stage} was built on stale stages then" for stage in built]


def _parameters(stage: str, told: Json, given: Mapping[str, Any], said: list[str]) -> Json:
    """Give a notebook the values that its stage has on record."""
    notebook = nbformat.read(resources.notebooks() / f"{stage}.ipynb", as_version=4)
    known, values = parameters_of(notebook), {}
    for key, was in told["parameters"].items():
        name = key.upper()
        if name not in known:
            said.append(f"{stage} of this version takes no {name}")
        elif name in PLACES and was is not None:
            if name not in given:
                raise StudyError(
                    f"{stage} took a file from outside the study, and a manifest holds no places: "
                    f"say where it is with -p {name}=PATH"
                )
            values[name] = str(Path(given[name]).resolve())
        elif SOMEBODY in str(was):
            if name not in given and not may_name(stage, key):
                raise StudyError(
                    f"{stage}: {name} is not on record, since it was taken for a subject when the "
                    f"manifest was written: say what it was with -p {name}=VALUE, or make the "
                    "manifest anew with 'clamlab report STUDY'"
                )
            if name not in given:
                said.append(f"{stage}: {name} named subjects, whom a manifest does not: left out")
            values[name] = given.get(name, known[name])
        else:
            values[name] = _as_tuples(was)
    return values | {n: v for n, v in given.items() if n in known and n not in values}


def _as_tuples(value: Any) -> Any:
    """Return a list as notebooks have it."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def _check_given(
    parameters: Mapping[str, Json], stages: Mapping[str, Json], given: Mapping[str, Any]
) -> None:
    for name in given:
        own = [s for s, values in parameters.items() if name in values]
        if not own:
            raise StudyError(f"no notebook of this rerun takes {name}")
        held = [s for s in own if name.lower() in stages[s]["parameters"]]
        if [s for s in held if parameters[s][name] != _wanted(name, given)]:
            raise StudyError(
                f"{name} stands in the manifest ({', '.join(held)}): with another value it is "
                "another study; make one with clamlab init or simulate, and clamlab run"
            )


def _wanted(name: str, given: Mapping[str, Any]) -> Any:
    return str(Path(given[name]).resolve()) if name in PLACES else given[name]
