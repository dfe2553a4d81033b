"""Which fill of template voxels outside a scan's own lungs a network does not see.

    make bench filling      about ten minutes

Two groups of scans differ in the shape of their lungs and in nothing else: HU, texture, vessels and
noise are drawn alike. Registered by an affine at 6 mm, one group needs several times the filling of
the other. Each way to fill is judged by how well the groups can be told afterwards: from the
histogram, from the features of a trained autoencoder, and by clusters of these. "truth" is the
texture that goes on beyond the lungs: what is told from it is not the fill's doing. Without a chest
wall only the fill differs; with it, the rim of the scan's own lungs, half wall, is seen as well,
whatever fills the rest, unless it is replaced too.

The fill was chosen on the seeds CHOICE and is reported on the seeds HELD_OUT. Results stay in
filling.csv beside this file.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage, spatial
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clamlab.ingest import register
from clamlab.ingest.alignment.filling import fill_lungs
from clamlab.ingest.alignment.template import template_grid
from clamlab.ingest.alignment.transforms import Transform, warp_image, warp_labels
from clamlab.models import ConvAutoencoder
from clamlab.simulate.chest import draw_chest
from clamlab.simulate.fields import grid_axes, smooth_field
from clamlab.simulate.lungs import _person, lung_cohort
from clamlab.training import embed, pretrain
from clamlab.volumes import fit_scaling, scale

RESULT = Path(__file__).with_suffix(".csv")
CHOICE, HELD_OUT = (1,), (11, 12)
N, SPACING, OWN_MM, WALL = 60, 6.0, 4.0, 40.0
BEND_MM = (1.5, 9.0)  # how far the lungs of the two groups are bent
BINS = np.linspace(-1050, -250, 81)


class Scan(NamedTuple):
    """A registered scan: HU, its lungs, their share of each voxel, the template's, the truth."""

    hu: NDArray
    own: NDArray
    lung_share: NDArray
    template: NDArray
    truth: NDArray

    def with_filled(self, values: NDArray) -> NDArray:
        """Give HU with the values, one or one for each voxel, where the lungs are missing."""
        return np.where(self.template & ~self.own, values, self.hu)


def mean(scan: Scan) -> NDArray:
    """Give the mean of the scan's lungs."""
    return scan.with_filled(scan.hu[scan.own & scan.template].mean())


def nearest(scan: Scan) -> NDArray:
    """Repeat the nearest voxel of the lungs."""
    index = ndimage.distance_transform_edt(~scan.own, return_distances=False, return_indices=True)
    return scan.with_filled(scan.hu[tuple(index)])


def smooth(scan: Scan) -> NDArray:
    """Go on smoothly (normalised convolution), with residuals of the scan's lungs at random."""
    share = ndimage.gaussian_filter(scan.own.astype(float), 3) + 1e-9
    level = ndimage.gaussian_filter(np.where(scan.own, scan.hu, 0.0), 3) / share
    level = np.where(share > 1e-3, level, scan.hu[scan.own].mean())
    rest = _rng(scan).choice((scan.hu - level)[scan.own], scan.hu.shape)
    return scan.with_filled(level + rest)


def drawn(scan: Scan) -> NDArray:
    """Draw each value from the 64 nearest voxels of the lungs."""
    missing, lungs = np.argwhere(scan.template & ~scan.own), np.argwhere(scan.own)
    near = spatial.cKDTree(lungs).query(missing, 64)[1]
    chosen = near[np.arange(len(near)), _rng(scan).integers(64, size=len(near))]
    filled = scan.hu.copy()
    filled[tuple(missing.T)] = scan.hu[tuple(lungs[chosen].T)]
    return filled


def mirrored(scan: Scan) -> NDArray:
    """Mirror the lungs at their border."""
    return fill_lungs(scan.hu, scan.own, scan.template)


def mirrored_with_rim(scan: Scan) -> NDArray:
    """Mirror the lungs where they are nothing but lung: what the library does."""
    return fill_lungs(scan.hu, scan.lung_share, scan.template)


FILLS: dict[str, Callable[[Scan], NDArray]] = {
    "none": lambda scan: scan.hu,
    "mean": mean,
    "nearest": nearest,
    "smooth and noise": smooth,
    "drawn nearby": drawn,
    "mirrored": mirrored,
    "mirrored, rim too": mirrored_with_rim,
    "truth": lambda scan: scan.with_filled(scan.truth),
}


def _rng(scan: Scan) -> np.random.Generator:
    return np.random.default_rng(crc32(scan.hu.tobytes()))


def lungs_of(seed: int) -> tuple[NDArray, NDArray]:
    """Draw the lungs that all scans of a seed are bent from, on a grid with room around them."""
    cohort = lung_cohort(2, spacing_mm=OWN_MM, seed=seed)
    axes = grid_axes(cohort.shape, [OWN_MM] * 3)
    rng = np.random.default_rng(seed)
    return draw_chest(axes, _person(cohort.participants.iloc[0], rng), rng)[1], cohort.affine


def texture(axes: tuple, rng: np.random.Generator) -> NDArray:
    """Draw lung tissue that goes on everywhere: gravity, patches, vessels and noise."""
    hu = rng.normal(-870, 14) - rng.normal(70, 12) * axes[1][None, :, None] / 180
    hu = hu + 14 * smooth_field(axes, 9, rng) + 14 * smooth_field(axes, 45, rng)
    vessels = np.maximum(smooth_field(axes, 6, rng) - 1.3, 0)
    noise = ndimage.gaussian_filter(rng.normal(size=vessels.shape), 0.6)
    return hu + 250 * vessels + 20 * noise / noise.std()


def cohort(seed: int) -> dict[str, NDArray]:
    """Make and register a cohort: volumes with and without wall, the truth, and who fills much."""
    reference, affine = lungs_of(seed)
    template, grid_affine = template_grid(reference, affine, spacing_mm=SPACING)
    grid = {"shape": template.shape, "grid_affine": grid_affine}
    axes = grid_axes(reference.shape, [OWN_MM] * 3)
    made: dict[str, list] = {"truth": [], "bare": [], "walled": [], "own": []}
    made["lung_share"] = []
    groups = np.arange(N) % 2
    for i, group in enumerate(groups):
        rng = np.random.default_rng([seed, i])
        bend = [BEND_MM[group] * smooth_field(axes, 25, rng) for _ in range(3)]
        shape = {"shape": reference.shape, "grid_affine": affine}
        bent = Transform(np.eye(4), np.stack(bend, axis=-1).astype("float32"))
        labels = warp_labels(reference, affine, bent, **shape)
        tissue = texture(axes, rng)
        walled = ndimage.gaussian_filter(np.where(labels > 0, tissue, WALL), 0.5)
        found = register(
            labels, template, affine=affine, template_affine=grid_affine, kind="affine"
        )
        lungs = ndimage.gaussian_filter((labels > 0).astype(float), 0.5)
        truth, image, lung_share = (
            warp_image(ndimage.gaussian_filter(seen, 0.6), affine, found, fill=beyond, **grid)
            for seen, beyond in ((tissue, WALL), (walled, WALL), (lungs, 0.0))
        )
        own = warp_labels(labels, affine, found, **grid) > 0
        made["truth"].append(truth)
        made["own"].append(own)
        made["lung_share"].append(lung_share)
        made["bare"].append(np.where(own, truth, WALL))
        made["walled"].append(image)
    stacked = {name: np.stack(values) for name, values in made.items()}
    missing = (stacked["own"] < (template > 0)).sum(axis=(1, 2, 3))
    share = missing / (template > 0).sum()
    return stacked | {"template": template > 0, "group": groups, "share": share}


def told(measures: NDArray, groups: NDArray, seed: int) -> tuple[float, float]:
    """Share of scans whose group a linear and a nearest-neighbour classifier name, five-fold."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    rates = []
    for rule in (LogisticRegression(C=0.1, max_iter=500), KNeighborsClassifier(5)):
        named = cross_val_predict(make_pipeline(StandardScaler(), rule), measures, groups, cv=folds)
        rates.append(float((named == groups).mean()))
    return rates[0], rates[1]


def judge(hu: NDArray, made: dict[str, NDArray], seed: int) -> dict[str, float]:
    """Measure how far a filled cohort gives away which scans were filled."""
    mask, groups, share = made["template"], made["group"], made["share"]
    counts = np.stack([np.histogram(np.clip(v[mask], -1049, -251), BINS)[0] for v in hu])
    spike = float((counts[groups == 1].max(axis=1) / counts[groups == 0].max(axis=1)).mean())
    images = scale(hu, mask, fit_scaling(hu, mask))
    model = ConvAutoencoder(mask.shape, channels=(8, 16, 32), n_features=16, seed=seed)
    pretrain(model, images, epochs=10, batch_size=16, seed=seed, progress=False)
    features = embed(model, images)
    predicted = cross_val_predict(
        make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 4, 11))), features, share, cv=5
    )
    clusters = KMeans(2, n_init=10, random_state=seed).fit_predict(features)
    linear, near = told(counts, groups, seed)
    feature_linear, feature_near = told(features, groups, seed)
    return {
        "histogram_linear": linear,
        "histogram_knn": near,
        "histogram_peak_ratio": spike,
        "features_linear": feature_linear,
        "features_knn": feature_near,
        "features_r_with_filled": float(np.corrcoef(predicted, share)[0, 1]),
        "clusters_ari": float(adjusted_rand_score(groups, clusters)),
    }


def runs(seeds: tuple[int, ...], use: str) -> Iterator[dict]:
    """Judge every fill on every cohort."""
    for seed in seeds:
        made = cohort(seed)
        shares = [float(made["share"][made["group"] == group].mean()) for group in (0, 1)]
        for wall in ("bare", "walled"):
            for name, fill in FILLS.items():
                parts = (made[name] for name in (wall, "own", "lung_share", "truth"))
                scans = [
                    Scan(hu, own, share, made["template"], truth)
                    for hu, own, share, truth in zip(*parts, strict=True)
                ]
                hu = np.stack([fill(scan) for scan in scans])
                replaced = np.stack([scan.hu != now for scan, now in zip(scans, hu, strict=True)])
                about = {"use": use, "seed": seed, "chest_wall": wall == "walled", "fill": name}
                about |= {"filled_low": shares[0], "filled_high": shares[1]}
                about |= {"replaced": float(replaced[:, made["template"]].mean())}
                row = about | judge(hu.astype("float32"), made, seed)
                print(
                    {k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()},
                    flush=True,
                )
                yield row


def main() -> None:
    """Choose on some cohorts, report on others."""
    rows = [*runs(CHOICE, "choice"), *runs(HELD_OUT, "held out")]
    table = pd.DataFrame(rows)
    table.to_csv(RESULT, index=False, float_format="%.3f")
    measures = list(table.columns[table.columns.get_loc("replaced") :])
    means = table.groupby(["use", "chest_wall", "fill"], sort=False)[measures].mean()
    print(means.round(2).to_string())


if __name__ == "__main__":
    main()
