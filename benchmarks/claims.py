"""What the paper claims about its simulation, held against our numbers, with its figures 1 to 6.

    make bench claims     about an hour: full network width, both anatomies, one fresh seed

Claims about assignments are read off simulation.csv, which is complete after
`make bench simulation`. The table goes to claims.csv beside this file, the pictures to docs.
"""

from pathlib import Path

import pandas as pd

from clamlab import clam, figures
from clamlab.experiments import explain_scenario, explain_scenarios, latent_claims, map_claims
from clamlab.experiments.claims import assignment_claims
from clamlab.figures import validation

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "simulation"
SEED = 5000
SCENARIOS = ("intensity", "location", "size")
FULL_WIDTH = "n_scans=300 anatomy={} channels=(32,64,128)"
N_CLUSTERS = 5


def claims_of(anatomy: str) -> pd.DataFrame:
    """Check every claim on one anatomy and draw its figures."""
    explained = explain_scenarios(SCENARIOS, N_CLUSTERS, anatomies=[anatomy], seed=SEED, n_jobs=2)
    runs = {name: run for (name, _), run in explained.items()}
    draw(runs, anatomy)
    study = pd.read_csv(HERE / "simulation.csv")
    of_paper = study["settings"].str.startswith(FULL_WIDTH.format(anatomy))
    table = pd.concat([assignment_claims(study[of_paper]), map_claims(runs)])
    return table.assign(anatomy=anatomy)


def draw(runs, anatomy: str) -> None:
    """Draw figures 1, 2, 4, 5 and 6."""
    titles = {name: name.capitalize() for name in runs}
    lung = runs["location"].cohort.lung_mask

    def pictures(of):
        return {titles[name]: of(run) for name, run in runs.items()}

    run = runs["location"]
    scan = run.examples["Cluster 2"]
    save(
        validation.clam_steps(*clam.clam_steps(run.model, run.images[scan], 1), lung=lung),
        anatomy,
        1,
    )
    scans = pictures(lambda r: {name: r.cohort.images[i] for name, i in r.examples.items()})
    save(figures.image_grid(scans, mask=lung, kind="hu", width_mm=130), anatomy, 2)
    mean_scans = pictures(lambda r: r.cohort.images.mean(0))
    mean_maps = pictures(lambda r: r.averages["Overall"])
    save(figures.average_panel(mean_scans, mean_maps, mask=lung), anatomy, 4)
    by_cluster = pictures(lambda r: {k: m for k, m in r.averages.items() if k != "Overall"})
    save(figures.image_grid(by_cluster, mask=lung, width_mm=130), anatomy, 5)
    singles = pictures(lambda r: {name: r.importance[i] for name, i in r.examples.items()})
    save(figures.image_grid(singles, mask=lung, width_mm=130), anatomy, 6)


def save(figure, anatomy: str, number: int) -> None:
    """Keep a figure under the number it has in the paper."""
    figures.save_figure(figure, PICTURES / f"figure_{number}_{anatomy}", formats=["png"])


def after_clustering(anatomy: str) -> pd.DataFrame:
    """Check the claim about features after clustering and draw figure 3."""
    run = explain_scenario(
        "location", 3, seed=SEED, slices={"anatomy": anatomy}, fitted=range(2, 9)
    )
    spaces = figures.latent_scatter(
        run.latent_spaces, run.cohort.labels, label="Simulated", columns=4
    )
    save(spaces, anatomy, 3)
    return latent_claims(run).assign(anatomy=anatomy)


if __name__ == "__main__":
    tables = [claims_of(anatomy) for anatomy in ("smooth", "sharp")]
    tables.append(after_clustering("smooth"))
    pd.concat(tables).to_csv(HERE / "claims.csv", index=False)
