"""The methods paragraph, written from what the stages were really run with."""

from typing import Any

from clamlab.report.blocks import Block, Heading, Missing, Sentence
from clamlab.report.composing import Section
from clamlab.report.found import Found, NotFoundError
from clamlab.report.references import cite
from clamlab.report.words import listed
from clamlab.stats.outcomes.summary import NOTHING, covariates_words

_WAYS = {
    "syn": "by an affine and a symmetric diffeomorphic transformation (SyN) "
    + cite("avants2008", "tustison2021"),
    "affine": "by an affine transformation",
    "none": "before the study; here the volumes were checked and stacked",
}
_PACKAGES = (
    "clamlab",
    "torch",
    "scikit-learn",
    "statsmodels",
    "antspyx",
    "numpy",
    "scipy",
    "pandas",
)
_CITES = {"torch": "paszke2019", "scikit-learn": "pedregosa2011", "statsmodels": "seabold2010"}


def make(found: Found) -> list[Block]:
    """Write a paragraph for every stage that was run; of the others, say that they were not."""
    written = {
        "02_volumes": _scans,
        "03_autoencoder": _network,
        "04_n_clusters": _number,
        "05_clusters": _clusters,
        "06_clam": _maps,
        "08_table_one": _table,
        "09_associations": _outcomes,
    }
    blocks: list[Block] = []
    for stage, write in written.items():
        if stage in found.records:
            title, text = write(found, found.parameters(stage))
            blocks += [Heading(title), Sentence(text)]
    if not blocks:
        raise NotFoundError("no stage was run to its end")
    if absent := [stage for stage in written if stage not in found.records]:
        blocks.append(Missing(f"Not run, and so not described: {listed(absent)}."))
    return [*blocks, Heading("Software"), Sentence(_software(found))]


def _told(p: Any, name: str) -> str:
    """Print a parameter as it is on record."""
    value = p.get(name)
    if value is None:
        return "(not recorded)"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _scans(found: Found, p: Any) -> tuple[str, str]:
    grid = found.get("grid") or {}
    shape = " × ".join(str(n) for n in grid.get("shape", [])) or "unknown"
    template = (
        "a given template" if p.get("template") else "a template made of the study's own lungs"
    )
    side = f"{grid['spacing_mm'][0]:g}" if grid.get("spacing_mm") else _told(p, "spacing_mm")
    mirrored = (
        ""
        if p.get("registration") == "none"
        else " Where the template's lungs reach beyond a scan's own, the lungs were mirrored at "
        "their border."
    )
    text = (
        f"The flow of participants follows STROBE {cite('vonelm2007')}. {_laid(found)}The shape "
        f"of the lungs, never their density, was registered to {template} "
        f"{_WAYS.get(p.get('registration'), 'in a way not known')}, on a grid of {shape} voxels of "
        f"{side} mm.{mirrored}"
    )
    return "Scans", text


def _laid(found: Found) -> str:
    """Say how scans became volumes and where their lungs came from, as far as qc.csv tells."""
    qc = found.get("qc")
    if qc is None:
        return ""
    dicom = "format" in qc and qc["format"].eq("DICOM").any()
    given = "lung_mask" in qc and qc["lung_mask"].fillna("").ne("").any()
    return (
        "Each slice was laid where its own header places it. " if dicom else ""
    ) + f"Lungs were {'found in the scan, or given as a mask' if given else 'found in the scan'}. "


def _network(found: Found, p: Any) -> tuple[str, str]:
    config, history = found.get("autoencoder_config") or {}, found.get("pretraining_history")
    run = f" and stopped after {len(history)}" if history is not None and len(history) else ""
    aside = f"{p['held_out']:.0%} of the scans" if p.get("held_out") else "no scan"
    text = (
        f"A convolutional autoencoder with {listed(p.get('channels', []))} channels, strides "
        f"{listed(config.get('strides', ['unknown']))} and "
        f"{config.get('n_features', '(not recorded)')} features was trained with Adam "
        f"{cite('kingma2015')} in batches of {_told(p, 'batch_size')} for at most "
        f"{_told(p, 'epochs')} epochs{run}, with {aside} kept aside to stop by. "
        f"{_scaling(config.get('scaling') or {})}"
    )
    return "Features", text


def _scaling(rule: Any) -> str:
    if rule.get("method") == "zscore":
        return (
            f"Lung voxels were scaled by the cohort's mean ({rule['shift']:.1f} HU) and standard "
            f"deviation ({rule['scale']:.1f} HU); voxels outside the lungs took the mean."
        )
    return "Lung voxels were scaled to the range from 0 to 1." if rule else ""


def _number(found: Found, p: Any) -> tuple[str, str]:
    without = p.get("without") or []
    taken = f" {listed(without)} were taken out of the features before looking." if without else ""
    criteria = found.get("criteria")
    n_drawn = _told(p, "n_bootstrap")
    k_max = p.get("k_max") if criteria is None else int(criteria["n_clusters"].max())
    has = set() if criteria is None else set(criteria.dropna(axis="columns", how="all"))
    names = {
        "silhouette": f"silhouette {cite('rousseeuw1987')}",
        "silhouette_sparse": f"sparse k-means {cite('witten2010')}",
        "gap": f"gap statistic {cite('tibshirani2001')}",
    }
    beside = listed([words for name, words in names.items() if name in has])
    shown = f" The {beside} are shown beside it." if beside else ""
    text = (
        f"The number of clusters, from 1 to {k_max}, was decided on features before "
        "the clustering phase: clusters are there when two humps fit the scans better than one, by "
        f"more than chance gives one continuous cloud.{shown}{taken} Stability is the adjusted "
        f"Rand index {cite('hubert1985')} with the partitions of {n_drawn} resampled cohorts."
    )
    return "Number of clusters", text


def _clusters(found: Found, p: Any) -> tuple[str, str]:
    history = found.get("clustering_history")
    run = f" ({len(history)} were run)" if history is not None else ""
    text = (
        "Centroids were placed by k-means; network and centroids were then trained together on the "
        f"reconstruction and the clustering loss {cite('xie2016', 'guo2017', 'ryan2022')}, the "
        f"latter with weight {_told(p, 'gamma')}, learning rate {_told(p, 'learning_rate')} and "
        f"batches of {_told(p, 'batch_size')}, for at most {_told(p, 'epochs')} epochs{run}. "
        "A scan belongs to the cluster of highest probability; clusters are numbered by density."
    )
    return "Clusters", text


def _maps(found: Found, p: Any) -> tuple[str, str]:
    n_held = _told(p, "trust_scans")
    layer = "last" if p.get("layer") == -1 else f"{_told(p, 'layer')}th (counted from 0)"
    text = (
        f"Cluster activation maps {cite('ryan2022')}, a modified Score-CAM {cite('wang2020')}, "
        f"weigh each channel of the {layer} encoder layer by the probability that the masked scan "
        "keeps for a "
        "cluster. Contrast maps follow the decoder from a scan to the same scan as another cluster "
        f"would have it. On {n_held} scans of each cluster both were held against an "
        "untrained network, the map of another cluster, the plain difference from the template, "
        "integrated gradients, occlusion, and random maps by deletion and insertion."
    )
    return "Maps", text


def _table(found: Found, p: Any) -> tuple[str, str]:
    tidy = found.get("table_one")
    tests = [] if tidy is None else [t for t in dict.fromkeys(tidy["test"].dropna()) if t]
    named = f" ({listed(tests)})" if tests else ""
    text = (
        f"Characteristics were compared between clusters{named}, corrected after Holm "
        f"{cite('holm1979')} and Benjamini and Hochberg {cite('benjamini1995')} over all "
        f"variables, and checked with tableone {cite('pollard2018')}. What the network derived "
        "from the images is described and not tested. "
        "How the scans were made was held against the clusters by Cramér's V without its bias "
        f"{cite('bergsma2013')}."
    )
    return "Comparison of the clusters", text


def _outcomes(found: Found, p: Any) -> tuple[str, str]:
    associations = found.get("associations")
    adjusted = NOTHING if associations is None else covariates_words(associations)
    these = "" if adjusted == NOTHING else "these, "
    n_drawn = _told(p, "n_bootstrap")
    errors = {
        "classical": "with classical standard errors",
        "HC3": "with standard errors that do not assume equal variances (HC3) "
        f"{cite('mackinnon1985')}",
    }
    text = (
        f"Outcomes were modelled by linear regression on the cluster, adjusted for "
        f"{adjusted}, {errors.get(p.get('covariance'), '')}, on the complete rows of "
        f"each outcome, and corrected after Holm {cite('holm1979')} and Benjamini and Hochberg "
        f"{cite('benjamini1995')}. Nested models with {these}what readers saw and the cluster were "
        f"compared by adjusted R²; intervals are percentiles of {n_drawn} bootstrap samples."
    )
    return "Outcomes", text


def _is_warped(found: Found) -> bool:
    """Tell whether ANTs had a part in it: affine transformations are our own."""
    return found.parameters("02_volumes").get("registration") == "syn"


def _software(found: Found) -> str:
    """Name versions as recorded; where stages differ, every one of them."""
    told = []
    used = [n for n in _PACKAGES if n != "antspyx" or _is_warped(found)]
    for name in used:
        versions = {r.get("versions", {}).get(name) for r in found.records.values()} - {None}
        if versions:
            cites = f" {cite(_CITES[name])}" if name in _CITES else ""
            told.append(f"{name} {' and '.join(sorted(versions))}{cites}")
    pythons = {r.get("versions", {}).get("python") for r in found.records.values()} - {None}
    seeds = {
        stage: r["parameters"]["seed"]
        for stage, r in found.records.items()
        if "seed" in r.get("parameters", {})
    }
    one = len(set(seeds.values())) == 1
    said = (
        f"seed {next(iter(seeds.values()))} in every stage"
        if one
        else listed([f"seed {seed} in {stage}" for stage, seed in seeds.items()])
    )
    python = " and ".join(sorted(pythons))
    return (
        f"Python {python} with {listed(told)}; {said or 'no seed recorded'}. "
        "Every parameter and version stands in manifest.json."
    )


SECTION = Section(
    "methods",
    "Methods, as they were run",
    make,
    uses=("grid", "autoencoder_config", "criteria", "assignments", "trust", "table_one"),
    place="methods",
)
