"""The ways of clustering that are held against each other on one simulated cohort."""

import numpy as np
from scipy.stats import kurtosis, skew
from skimage.feature import graycomatrix, graycoprops

from clamlab.models import ConvAutoencoder, DeepClustering
from clamlab.selection.criteria import kmeans
from clamlab.training import assign, embed, fit_clusters, pretrain
from clamlab.volumes import fit_scaling, scale

METHODS = ("deep", "linear", "texture")
# Small lesions may be learned only after ten and more epochs in which the loss of scans aside is
# level: with a patience of 8 they are missed now and then.
HELD_OUT, PATIENCE = 0.1, 16
N_LINEAR = 60
GREY_LEVELS = 32
GREY_RANGE_HU = (-1000, 0)
DISTANCES_PX = (1, 2, 4)
ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
GLCM_PROPERTIES = ("contrast", "dissimilarity", "homogeneity", "energy", "correlation")


class Deep:
    """Pre-train once, then deep clustering for each K from the same autoencoder."""

    def __init__(
        self,
        cohort,
        *,
        channels,
        pretrain_epochs,
        cluster_epochs,
        seed: int,
        network=ConvAutoencoder,
    ):
        self.rule = fit_scaling(cohort.images, cohort.lung_mask)
        self.images = np.asarray(scale(cohort.images, cohort.lung_mask, self.rule))
        self.cluster_epochs, self.seed = cluster_epochs, seed
        self.autoencoder = network(self.images.shape[1:], channels=tuple(channels), seed=seed)
        pretrain(
            self.autoencoder,
            self.images,
            epochs=pretrain_epochs,
            patience=PATIENCE,
            held_out=HELD_OUT,
            seed=seed,
            progress=False,
        )
        self.features = embed(self.autoencoder, self.images)
        self.model: DeepClustering | None = None

    def cluster(self, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
        """Give each scan's cluster, and the features after; their model stays in `model`."""
        self.model, _ = fit_clusters(
            self.autoencoder,
            self.images,
            n_clusters,
            epochs=self.cluster_epochs,
            seed=self.seed,
            progress=False,
        )
        features = embed(self.model, self.images)
        return assign(self.model, features).argmax(1), features


class Baseline:
    """k-means on features that need no training."""

    def __init__(self, features, *, seed: int):
        self.features, self.seed = features, seed

    def cluster(self, n_clusters: int) -> tuple[np.ndarray, np.ndarray]:
        """Give each scan's cluster, and the features, which stay what they were."""
        return kmeans(self.features, n_clusters, seed=self.seed).labels_, self.features


def fitter_of(method: str, cohort, *, seed: int, **training) -> Deep | Baseline:
    """Prepare a method on a cohort: train the autoencoder, or take features that need none."""
    if method == "deep":
        return Deep(cohort, seed=seed, **training)
    features_of = {"linear": linear_features, "texture": texture_features}[method]
    return Baseline(features_of(cohort.images, cohort.lung_mask), seed=seed)


def linear_features(images, lung_mask) -> np.ndarray:
    """Principal components (as many as the network has features) of the lung pixels.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(size=(9, 4, 4))
    >>> linear_features(images, np.ones((4, 4), bool)).shape
    (9, 8)
    """
    pixels = np.asarray(images, float)[:, lung_mask]
    left, size, _ = np.linalg.svd(pixels - pixels.mean(0), full_matrices=False)
    kept = min(N_LINEAR, len(pixels) - 1)
    return (left * size)[:, :kept]


def texture_features(images, lung_mask) -> np.ndarray:
    """First-order and grey-level co-occurrence features of the lung, z-scored over the cohort.

    The 32 grey levels span -1000 to 0 HU; pairs with a pixel outside the lung are left out.

    References
    ----------
    Haralick, Shanmugam & Dinstein, IEEE Trans. Syst. Man Cybern. 3(6), 610-621 (1973).

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(-800, 80, size=(5, 16, 16))
    >>> texture_features(images, np.ones((16, 16), bool)).shape
    (5, 24)
    """
    table = np.array([_texture(image, lung_mask) for image in np.asarray(images, float)])
    spread = table.std(0)
    return (table - table.mean(0)) / np.where(spread > 0, spread, 1)


def _texture(image, lung_mask) -> np.ndarray:
    hu = image[lung_mask]
    first = [
        hu.mean(),
        hu.std(),
        skew(hu),
        kurtosis(hu),
        *np.percentile(hu, [5, 25, 50, 75, 95]),
    ]
    low, high = GREY_RANGE_HU
    grey = np.clip((image - low) / (high - low), 0, 1 - 1e-9) * GREY_LEVELS
    # Level 0 is kept for outside the lung and cut from the matrix again.
    levels = np.where(lung_mask, grey.astype(int) + 1, 0).astype(np.uint8)
    pairs = graycomatrix(levels, DISTANCES_PX, ANGLES, levels=GREY_LEVELS + 1, symmetric=True)
    inside = pairs[1:, 1:].sum(3, keepdims=True).astype(float)
    inside /= np.maximum(inside.sum((0, 1)), 1)
    second = [graycoprops(inside, name)[:, 0] for name in GLCM_PROPERTIES]
    return np.r_[first, np.concatenate(second)]
