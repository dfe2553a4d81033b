"""Which map to believe in 3-D: one real chest varied into many people, with lesions that are known.

    make bench volume_maps     half an hour on two cores

Cohorts of 60 with two and with three patterns of disease go through DICOM, ingestion and
registration as patients would. Each is then clustered by three trainings with fresh seeds, at half
the paper's width on a grid of 6 mm. How contrast maps are made was chosen on slices and on a cohort
of seed 31.
Results stay in volume_maps.csv beside this file.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from clamlab import training, volumes
from clamlab.cli.truth import true_lesions
from clamlab.contrast import contrast_map
from clamlab.experiments.explained import name_by_truth
from clamlab.models import ConvAutoencoder
from clamlab.study import Study
from studies.maps.kinds import Examined, some_of_each
from studies.maps.volumes import typical_place, volume_map_measures

RESULT = Path(__file__).with_suffix(".csv")
DATA = Path(os.environ.get("CLAMLAB_DATA", Path(__file__).parents[2] / "shared" / "data"))
ANATOMY = DATA / "cptac_3mm" / "cptac_pda_C3N-00249_3mm.nii.gz"
COHORT_SEED, SEEDS, NUMBERS = 4100, (4101, 4102, 4103), (2, 3)
N_SCANS, N_EXAMINED, SPACING_MM, CHANNELS = 60, 24, 6.0, (16, 32, 64)


def main() -> None:
    """Make the cohorts, train on each several times, and measure every kind of map."""
    with tempfile.TemporaryDirectory() as folder:
        studies = {k: made_study(Path(folder) / f"of_{k}", k) for k in NUMBERS}
        runs = [(k, seed) for k in NUMBERS for seed in SEEDS]
        tables = Parallel(n_jobs=2)(delayed(measured)(studies[k], k, seed) for k, seed in runs)
    pd.concat(tables).round(4).to_csv(RESULT, index=False)
    print(pd.concat(tables).groupby(["n_true", "kind"]).mean(numeric_only=True).round(3))


def made_study(root: Path, n_clusters: int) -> Path:
    """Simulate a cohort as DICOM and bring it to one grid."""
    cohort = {"ANATOMY": ANATOMY, "N_SUBJECTS": N_SCANS, "N_CLUSTERS": n_clusters}
    clamlab("simulate", root, **cohort, SEED=COHORT_SEED)
    clamlab("run", root, "--to", "02", SPACING_MM=SPACING_MM, REGISTRATION="affine")
    return root


def clamlab(*arguments, **parameters) -> None:
    """Run one command of clamlab."""
    values = [text for name, value in parameters.items() for text in ("-p", f"{name}={value}")]
    command = [sys.executable, "-m", "clamlab", *map(str, arguments), *values]
    subprocess.run(command, check=True)


def measured(root: Path, n_clusters: int, seed: int) -> pd.DataFrame:
    """Cluster one cohort with one training, and measure the maps of some of its scans."""
    study = Study.open(root)
    hu, mask = np.array(study.read("volumes")), np.asarray(study.read("lung_mask"))
    rule = volumes.fit_scaling(hu, mask)
    images = np.asarray(volumes.scale(hu, mask, rule)[:])
    autoencoder = ConvAutoencoder(mask.shape, channels=CHANNELS, seed=seed)
    training.pretrain(autoencoder, images, held_out=0.1, batch_size=8, seed=seed)
    model, _ = training.fit_clusters(autoencoder, images, n_clusters, batch_size=8, seed=seed)
    found = training.assign(model, training.embed(model, images)).argmax(axis=1)
    truth = study.read("true_labels").set_index("subject_id")["cluster"]
    labels = truth.loc[study.read("scans")["subject_id"]].to_numpy()
    clusters = name_by_truth(model, labels, found)
    lesions, scans = true_lesions(study), some_of_each(labels, N_EXAMINED)
    average, names = images.mean(axis=0), range(n_clusters)
    means = np.stack([images[clusters == k].mean(axis=0) for k in names])
    seen = Examined(model, images[scans], clusters[scans], mask, average, average, means)
    typical = np.stack([typical_place(lesions[labels == k] & mask) for k in names])
    table = volume_map_measures(seen, lesions[scans], typical, spacing_mm=SPACING_MM)
    accuracy = float((clusters == labels).mean())
    return table.assign(n_true=n_clusters, seed=seed, accuracy=accuracy, steps=steps_of(seen))


def steps_of(seen: Examined) -> float:
    """Say what a pair map costs, in steps forward and back through the encoder of one scan."""
    scan, pairs = seen.images[:1], seen.n_clusters - 1
    start = time.process_time()
    contrast_map(seen.model, scan, mask=seen.mask, clusters=seen.own[:1])
    map_seconds = (time.process_time() - start) / pairs
    image = seen.model.centroids.new_tensor(scan).requires_grad_()
    seconds = []
    for _ in range(5):
        start = time.process_time()
        seen.model.encode(image).sum().backward()
        seconds.append(time.process_time() - start)
    return map_seconds / np.median(seconds)


if __name__ == "__main__":
    main()
