"""What came out of a rerun, held against the manifest: identical, or what differs."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from clamlab import resources
from clamlab.cli.repeatable import without_times
from clamlab.cli.rerun.amounts import how_much
from clamlab.cli.rerun.plan import NOTHING, Plan
from clamlab.cli.rerun.programs import differing, in_words
from clamlab.io import read_json
from clamlab.study import ARTEFACTS, Study
from clamlab.study.fingerprints import fingerprint, sha_of
from clamlab.study.provenance import OUTSIDE_PREFIX, record_of

Json = dict[str, Any]
SAME, DIFFERS, ABSENT, NEW = "identical", "differs", "not made", "only here"
PASSED_OVER = ("subjects", "qc_pages", "template_state")  # work with its times; its results count
_UNKNOWN = "differs; how much is told where the old study is at hand (--against STUDY)"


def compare(plan: Plan, study: Study, against: Study | None) -> Json:
    """Hold every artefact of a rerun against what the manifest has on record.

    Parameters
    ----------
    plan : Plan
    study : Study
        The new one.
    against : Study or None
        The old one, if it is at hand: then it is said how much something differs.

    Returns
    -------
    dict
        What ``report/rerun.json`` holds: ``identical``, ``differs_in`` (programs and machine, then
        and now), ``told``, by stage and artefact how it came out, and the stages ``left_out``.
    """
    stages = {stage: _stage(plan, study, stage, against) for stage in plan.stages}
    return {
        "format": 1,
        "manifest": plan.digest,
        "identical": _all_same(stages) and not plan.left_out,
        "differs_in": _programs(plan, study),
        "told": plan.told,
        "stages": stages,
        "left_out": plan.left_out,
    }


def is_as_asked(plan: Plan, found: Json) -> bool:
    """Tell whether all that was asked for (``--to``) was made again, and is identical."""
    return _all_same(found["stages"]) and not plan.without_record


def _all_same(stages: Mapping[str, Json]) -> bool:
    return all(told["state"] == SAME for told in stages.values())


def kept_contract(found: Json) -> Json:
    """Return what ``compare`` found, if it keeps the contract of ``report/rerun.json``.

    Raises
    ------
    jsonschema.ValidationError
        If not: the file would say something that its readers do not expect.
    """
    rules = read_json(resources.schemas() / "rerun.schema.json", expected="a contract")
    Draft202012Validator(rules).validate(found)
    return found


def _stage(plan: Plan, study: Study, stage: str, against: Study | None) -> Json:
    record = record_of(study.root, stage)
    if not record:
        return {"state": ABSENT, "inputs": {}, "artefacts": {}}
    was = plan.manifest["stages"][stage].get("outputs", {})
    now = {name: str(sha_of(told)) for name, told in record["outputs"].items()}
    artefacts = {
        name: _artefact(plan, study, name, was=was.get(name), now=now.get(name), against=against)
        for name in ARTEFACTS
        if (name in was or name in now) and name not in PASSED_OVER
    }
    inputs = {
        key.removeprefix(OUTSIDE_PREFIX): SAME if plan.inputs(stage).get(key) == sha else DIFFERS
        for key, told in record["inputs"].items()
        if key.startswith(OUTSIDE_PREFIX) and (sha := str(sha_of(told))) != NOTHING
    }
    states = {told["state"] for told in artefacts.values()} | set(inputs.values())
    return {
        "state": SAME if states <= {SAME} else DIFFERS,
        "inputs": inputs,
        "artefacts": artefacts,
    }


def _artefact(
    plan: Plan, study: Study, name: str, *, was: str | None, now: str | None, against: Study | None
) -> Json:
    if now is None:
        return {"state": ABSENT}
    if was is None:
        return {"state": NEW}
    if name == "choice":
        return _choice(plan, study)
    if was == now:
        return {"state": SAME}
    timeless = plan.manifest["stages"][ARTEFACTS[name].stage].get("without_times", {}).get(name)
    if timeless and timeless == without_times(study.path(name)):
        return {"state": SAME, "how": "but for the times that it holds"}
    if against is None:
        return {"state": DIFFERS, "how": _UNKNOWN}
    if fingerprint(against.path(name))["sha256"] != was:
        return {"state": DIFFERS, "how": "the study at hand holds another file than its manifest"}
    return {"state": DIFFERS, **how_much(name, against.path(name), study.path(name))}


def _choice(plan: Plan, study: Study) -> Json:
    """Compare a decision by its number and by what the rule says: a reason is not handed on."""
    was, now = plan.manifest["choices"]["n_clusters"] or {}, study.read("choice")
    rule = now.get("recommended") or {}
    told = {
        "n_clusters": now.get("n_clusters"),
        "recommended": rule.get("n_clusters"),
        "answer": rule.get("answer"),
    }
    odd = [
        f"{key}: {was.get(key)} then, {it} here" for key, it in told.items() if was.get(key) != it
    ]
    return {"state": DIFFERS, "how": "; ".join(odd)} if odd else {"state": SAME}


def _programs(plan: Plan, study: Study) -> list[Json]:
    """List in what programs and machine differ from those of the manifest, over all stages."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for stage in plan.stages:
        old, new = plan.manifest["stages"][stage], record_of(study.root, stage)
        if not new:
            continue
        pairs = differing(old.get("versions"), new.get("versions"))
        if old.get("machine"):
            pairs += differing(old["machine"], new.get("machine"))
        else:
            pairs.append(
                ("machine", in_words(None), ", ".join(map(in_words, new["machine"].values())))
            )
        for what in pairs:
            found.setdefault(what, []).append(stage)
    return [
        {"what": what, "then": then, "here": here, "stages": stages}
        for (what, then, here), stages in found.items()
    ]


def told(found: Json) -> list[str]:
    """Say in lines what ``compare`` found, what differs in programs and machine first.

    Examples
    --------
    >>> art = {"assignments": {"state": "differs", "how": "1 of 48 scans changed"}}
    >>> stages = {"05_clusters": {"state": "differs", "inputs": {}, "artefacts": art}}
    >>> other = {"what": "torch", "then": "2.1", "here": "2.2", "stages": ["05_clusters"]}
    >>> left_out = {"06_clam": "--to 05"}
    >>> found = {"differs_in": [other], "stages": stages, "left_out": left_out}
    >>> for line in told(found):
    ...     print(line)
    Programs and machine differ:
      torch: 2.1 then, 2.2 here (all stages)
    05_clusters: 1 of 1 differ
      assignments: 1 of 48 scans changed
    Something differs from the manifest.
    Not compared: 06_clam (--to 05).
    """
    lines = [
        "Programs and machine differ:" if found["differs_in"] else "Same programs and machine."
    ]
    for other in found["differs_in"]:
        every = len(other["stages"]) == len(found["stages"])
        where = "all stages" if every else ", ".join(other["stages"])
        lines.append(f"  {other['what']}: {other['then']} then, {other['here']} here ({where})")
    for stage, one in found["stages"].items():
        lines += _lines(stage, one)
    return [*lines, *_conclusion(found["stages"], found["left_out"])]


def _conclusion(stages: Mapping[str, Json], left_out: Mapping[str, str]) -> list[str]:
    """Say of which stages it holds, unless of all."""
    whole = ", ".join(stages) + (" is" if len(stages) == 1 else " are") if left_out else "All is"
    same = f"{whole} identical to the manifest."
    said = [same if _all_same(stages) else "Something differs from the manifest."]
    if left_out:
        odd = ", ".join(f"{stage} ({why})" for stage, why in left_out.items())
        said.append(f"Not compared: {odd}.")
    return said


def _lines(stage: str, one: Json) -> list[str]:
    if one["state"] == ABSENT:
        return [f"{stage}: not made"]
    artefacts = one["artefacts"]
    odd = {name: a for name, a in artefacts.items() if a["state"] != SAME}
    head = f"{stage}: {len(odd)} of {len(artefacts)} differ" if odd else (
        f"{stage}: {len(artefacts)} identical")  # fmt: skip
    inputs = [f"  {name} (input): differs" for name, it in one["inputs"].items() if it != SAME]
    return [head, *inputs, *(f"  {n}: {a.get('how', a['state'])}" for n, a in odd.items())]
