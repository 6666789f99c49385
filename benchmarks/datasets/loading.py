"""Which catalogue is measured on: real vectors, crops, interpolations, or without photos clusters.

Real vectors and crops are outputs of mobilenet_v2 (1,280-d). Everything computed is kept in a cache
folder under a name that contains its fingerprint.
"""

import hashlib
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import interpolation
from benchmarks.datasets.catalogue_data import GENDERS, CatalogueData, prices_by_category
from benchmarks.datasets.intrinsic_dimension import local_intrinsic_dimension, nearest_distances
from benchmarks.datasets.photo_catalogue import PhotoCatalogue, read_photo_catalogue
from benchmarks.datasets.photo_vectors import BACKBONE, PhotoVectors
from benchmarks.stages import Stages
from benchmarks.synthetic import GENDER_SHARES, N_CATEGORIES, clustered_vectors
from embeddings.nets.weights import file_sha256

SOURCES = ("auto", "real", "crops", "interpolations", "clusters")
MAX_CROPS = 100_000
N_HELD_OUT = 2_000  # crops that shoppers buy and nothing is interpolated from
LID_NEIGHBOURS = 20
LID_QUERIES = 500


@dataclass(frozen=True)
class DataRequest:
    """What the command line asks for."""

    n_products: int
    source: str  # one of SOURCES
    photos: Path
    weights: Path  # a folder with mobilenet_v2.safetensors
    cache: Path
    dimension: int = 512  # of clusters; the network's otherwise

    def chosen_source(self, photos: PhotoCatalogue | None) -> str:
        """The source, "auto" resolved: the most real one that has as many products."""
        if self.source != "auto":
            return self.source
        if photos is None or not self.weights_file.is_file():
            return "clusters"
        if self.n_products == len(photos):
            return "real"
        return "crops" if self.n_products <= MAX_CROPS else "interpolations"

    @property
    def weights_file(self) -> Path:
        """The network's weights."""
        return self.weights / f"{BACKBONE}.safetensors"


def load_data(request: DataRequest, stages: Stages) -> CatalogueData:
    """The catalogue, computed where the cache lacks it.

    Raises:
        ValueError: a source was asked for that needs photos or weights that are not there, or that
            cannot have so many products.
    """
    photos = read_photo_catalogue(request.photos)
    source = request.chosen_source(photos)
    if source == "clusters":
        return _clusters(request)
    if photos is None or not request.weights_file.is_file():
        raise ValueError(
            f"--data {source} needs {request.photos / 'manifest.csv'} and {request.weights_file}; "
            "name them with --photos and --weights, or use --data clusters"
        )
    vectors = PhotoVectors.cached(photos, request.cache, file_sha256(request.weights_file))
    if source == "real":
        return _real(request, vectors, stages)
    if source == "crops":
        return _crops(request, vectors, stages)
    return _interpolations(request, vectors, stages)


def _real(request: DataRequest, source: PhotoVectors, stages: Stages) -> CatalogueData:
    n = min(request.n_products, len(source.photos))
    _ensure_rounds(source, 1, request, stages)
    label = f"{n:,} real product photos, {BACKBONE}"
    return _of_photos("real", label, source, source.load(0, 1)[:n], np.arange(n), np.arange(n))


def _crops(request: DataRequest, source: PhotoVectors, stages: Stages) -> CatalogueData:
    n = request.n_products
    vectors = _crop_vectors(n, source, request, stages)
    label = f"{n:,} augmented crops of {len(source.photos):,} real photos, {BACKBONE}"
    return _of_photos("crops", label, source, vectors, np.arange(n), np.arange(n))


def _crop_vectors(
    n: int, source: PhotoVectors, request: DataRequest, stages: Stages
) -> NDArray[np.float16]:
    n_rounds = ceil(n / len(source.photos))
    if n > MAX_CROPS:
        raise ValueError(f"--data crops has at most {MAX_CROPS:,} products; asked for {n:,}")
    _ensure_rounds(source, n_rounds + 1, request, stages)
    return source.load(1, n_rounds + 1)[:n]


def _interpolations(request: DataRequest, source: PhotoVectors, stages: Stages) -> CatalogueData:
    """Held-out crops first, which shoppers buy; then mixtures of all other crops."""
    n_mixtures = request.n_products - N_HELD_OUT
    if n_mixtures < 1:
        raise ValueError(f"--data interpolations needs more than {N_HELD_OUT:,} products")
    crops = _crop_vectors(MAX_CROPS, source, request, stages)
    rng = np.random.default_rng([11, request.n_products])
    held_out = np.sort(np.random.default_rng(11).choice(len(crops), N_HELD_OUT, replace=False))
    others = np.setdiff1d(np.arange(len(crops)), held_out)
    parents = others[rng.permutation(n_mixtures) % len(others)]
    name = f"interpolations-{_fingerprint(source, request.n_products)[:16]}-{request.n_products}"
    path = request.cache / f"{name}.npy"
    if not path.is_file():
        _write_mixtures(path, source, crops, held_out, others, parents, rng, stages)
    vectors = np.load(path, mmap_mode="r")
    label = (
        f"SYNTHETIC: {n_mixtures:,} interpolations of {len(others):,} augmented crops of "
        f"{len(source.photos):,} real photos, {BACKBONE}; queries are {N_HELD_OUT:,} other crops"
    )
    rows = np.concatenate([held_out, parents])
    bought = np.arange(N_HELD_OUT)
    facts = _compared_dimensions(path, crops, held_out, vectors, stages)
    return _of_photos("interpolations", label, source, vectors, rows, bought, facts)


def _write_mixtures(
    path: Path,
    source: PhotoVectors,
    crops: NDArray[np.float16],
    held_out: NDArray[np.int64],
    others: NDArray[np.int64],
    parents: NDArray[np.int64],
    rng: np.random.Generator,
    stages: Stages,
) -> None:
    """The held-out crops and one mixture for each of `parents`, as a file of float16."""
    categories = np.unique(source.photos.categories, return_inverse=True)[1]
    with stages.stage("neighbours of crops", len(others)) as report:
        found = interpolation.neighbours_within(
            crops[others],
            categories[others % len(source.photos)],
            lambda done, _: report(done),
        )
    neighbours = np.zeros((len(crops), interpolation.N_NEIGHBOURS), dtype=np.int32)
    neighbours[others] = others[found]
    partial = path.with_suffix(".partial.npy")
    shape = (len(held_out) + len(parents), crops.shape[1])
    target = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
    target[: len(held_out)] = crops[held_out]
    with stages.stage("interpolations", len(parents)) as report:
        row = len(held_out)
        for block in interpolation.mixtures(crops, neighbours, parents, rng):
            target[row : row + len(block)] = block
            row += len(block)
            report(row - len(held_out))
    target.flush()
    partial.replace(path)


def _compared_dimensions(
    path: Path,
    crops: NDArray[np.float16],
    held_out: NDArray[np.int64],
    vectors: NDArray[np.float16],
    stages: Stages,
) -> dict[str, float]:
    """Local intrinsic dimension at held-out crops, among the other crops and in this catalogue.

    Over 20 of the crops' neighbours; here over 20, and over as many as are the same share.
    """
    kept = path.with_suffix(".lid.npy")
    if not kept.is_file():
        asked = np.random.default_rng(5).choice(len(held_out), LID_QUERIES, replace=False)
        queries = crops[held_out[asked]]
        share = max(1, round(len(vectors) / len(crops)))
        with stages.stage("local intrinsic dimension"):
            among_crops = nearest_distances(
                np.delete(crops, held_out, axis=0), queries, LID_NEIGHBOURS
            )
            here = nearest_distances(vectors[len(held_out) :], queries, share * LID_NEIGHBOURS)
        clouds = (among_crops, here[:, :LID_NEIGHBOURS], here)
        np.save(kept, np.array([local_intrinsic_dimension(cloud) for cloud in clouds]))
    of_crops, nearest, same_share = np.load(kept).tolist()
    return {
        "local_intrinsic_dimension_of_crops": round(of_crops, 2),
        "local_intrinsic_dimension": round(same_share, 2),
        "local_intrinsic_dimension_of_the_nearest_20": round(nearest, 2),
    }


def _of_photos(
    name: str,
    label: str,
    source: PhotoVectors,
    vectors: NDArray[np.float16],
    rows: NDArray[np.int64],
    bought: NDArray[np.int64],
    facts: dict[str, float] | None = None,
) -> CatalogueData:
    """Products that inherit gender and category from the photo of their row (round-major)."""
    photos = source.photos
    names, codes = np.unique(photos.categories, return_inverse=True)
    positions = rows % len(photos)
    categories = codes[positions].astype(np.int16)
    gender_codes = np.array([GENDERS.index(gender) for gender in photos.genders], dtype=np.int8)
    return CatalogueData(
        name=name,
        label=label,
        fingerprint=_fingerprint(source, len(vectors)) + f"-{name}",
        vectors=vectors,
        genders=gender_codes[positions],
        categories=categories,
        category_names=names.tolist(),
        category_groups=[photos.groups[category] for category in names.tolist()],
        prices_cents=prices_by_category(categories, np.random.default_rng([3, len(vectors)])),
        bought=bought,
        facts=facts or {},
    )


def _clusters(request: DataRequest) -> CatalogueData:
    rng = np.random.default_rng(42)
    n = request.n_products
    categories = rng.integers(0, N_CATEGORIES, n).astype(np.int16)
    label = f"SYNTHETIC: {n:,} clustered {request.dimension}-d vectors, no photos"
    recipe = f"clusters-{n}-{request.dimension}-1"
    return CatalogueData(
        name="clusters",
        label=label,
        fingerprint=hashlib.sha256(recipe.encode()).hexdigest(),
        vectors=clustered_vectors(rng, n, request.dimension).astype(np.float16),
        genders=rng.choice(len(GENDERS), n, p=[GENDER_SHARES[g] for g in GENDERS]).astype(np.int8),
        categories=categories,
        category_names=[f"C{number}" for number in range(N_CATEGORIES)],
        category_groups=[f"G{number % 6}" for number in range(N_CATEGORIES)],
        prices_cents=prices_by_category(categories, rng),
        bought=np.arange(n),
    )


def _fingerprint(source: PhotoVectors, n_products: int) -> str:
    recipe = (interpolation.N_MIXED, interpolation.CONCENTRATION, interpolation.N_NEIGHBOURS)
    parts = (source.folder.name, n_products, N_HELD_OUT, *recipe)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _ensure_rounds(
    source: PhotoVectors, n_rounds: int, request: DataRequest, stages: Stages
) -> None:
    missing = source.missing(n_rounds)
    if not missing:
        return
    from embeddings.nets.backbones import BACKBONES
    from embeddings.nets.networks import load_network
    from embeddings.nets.weights import WeightsSource

    weights = WeightsSource(cache_dir=request.cache, weights_dir=request.weights)
    network, _ = load_network(BACKBONES[BACKBONE], weights)
    with stages.stage("photos", len(missing) * len(source.photos)) as report:
        source.ensure(
            n_rounds, lambda views: network.features(np.stack(views)), lambda done, _: report(done)
        )
