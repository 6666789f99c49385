import numpy as np
import pytest

from benchmarks.datasets import interpolation
from benchmarks.datasets.intrinsic_dimension import local_intrinsic_dimension, nearest_distances
from benchmarks.datasets.loading import DataRequest, load_data
from benchmarks.datasets.photo_catalogue import PhotoCatalogue
from benchmarks.datasets.photo_vectors import PhotoVectors
from benchmarks.datasets.stores import STOCKED_SHARE, store_network
from benchmarks.stages import shown_stages


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("directions", [2, 6])
def test_a_flat_cloud_has_as_many_dimensions_as_directions(directions):
    rng = np.random.default_rng(0)
    cloud = np.zeros((4_000, 40))
    cloud[:, :directions] = 0.2 * rng.uniform(-1, 1, (4_000, directions))
    cloud[:, -1] = 1
    cloud = unit(cloud).astype(np.float32)
    distances = nearest_distances(cloud, cloud[:300], 21)[:, 1:]
    assert local_intrinsic_dimension(distances) == pytest.approx(directions, rel=0.15)


def test_nearest_distances_are_those_of_a_full_comparison():
    rng = np.random.default_rng(1)
    cloud = unit(rng.standard_normal((500, 8))).astype(np.float32)
    found = nearest_distances(cloud, cloud[:7], 4, block_rows=90)
    full = np.linalg.norm(cloud[:7, None] - cloud[None], axis=2)
    assert found == pytest.approx(np.sort(full, axis=1)[:, :4], abs=1e-3)


def test_mixtures_are_unit_vectors_between_a_parent_and_its_neighbours():
    rng = np.random.default_rng(2)
    vectors = unit(rng.standard_normal((60, 16))).astype(np.float16)
    labels = np.repeat([0, 1, 2], [29, 30, 1])
    neighbours = interpolation.neighbours_within(vectors, labels, lambda done, total: None)
    assert (labels[neighbours] == labels[:, None]).all()
    assert not (neighbours[:59] == np.arange(59)[:, None]).any()
    (mixed,) = interpolation.mixtures(vectors, neighbours, np.arange(60), rng)
    assert np.linalg.norm(mixed.astype(float), axis=1) == pytest.approx(1, abs=2e-3)
    assert mixed[59] == pytest.approx(vectors[59], abs=2e-3)  # alone in its category


class FewPhotos(PhotoCatalogue):
    def read(self, position):
        return np.full((30, 20, 3), 20 * position, dtype=np.uint8)


@pytest.fixture
def photo_vectors(tmp_path):
    names = np.array(["Shirts"] * 5)
    photos = FewPhotos(tmp_path, list("abcde"), names, names, {"Shirts": "Tops"}, "f")
    return PhotoVectors.cached(photos, tmp_path, "weights")


def mean_colours(views):
    return np.array([[view.mean() + 1, view.std() + 1] for view in views], dtype=np.float32)


def test_interrupted_rounds_are_made_once_and_the_rest_later(photo_vectors):
    def failing(views):
        if photo_vectors.path(0).is_file():
            raise KeyboardInterrupt
        return mean_colours(views)

    with pytest.raises(KeyboardInterrupt):
        photo_vectors.ensure(3, failing, lambda done, total: None)
    assert photo_vectors.missing(3) == [1, 2]
    done = []
    photo_vectors.ensure(3, mean_colours, lambda *progress: done.append(progress))
    assert done == [(5, 10), (10, 10)]
    vectors = photo_vectors.load(0, 3)
    assert vectors.shape == (15, 2)
    assert (photo_vectors.load(0, 2) == vectors[:10]).all()


def request(tmp_path, **given):
    options = {"n_products": 50, "source": "auto", "photos": tmp_path, "weights": tmp_path}
    return DataRequest(**options | {"cache": tmp_path} | given)


def test_without_photos_the_data_is_clusters_and_says_so(tmp_path):
    with shown_stages() as stages:
        data = load_data(request(tmp_path), stages)
    assert data.name == "clusters"
    assert data.label.startswith("SYNTHETIC: 50 clustered 512-d vectors")
    assert data.popularity("integers").max() <= 100
    assert len(np.unique(data.popularity("continuous"))) == 50


def test_photos_that_are_asked_for_and_absent_are_named(tmp_path):
    with (
        shown_stages() as stages,
        pytest.raises(ValueError, match=r"manifest\.csv .* --photos"),
    ):
        load_data(request(tmp_path, source="crops"), stages)


def test_a_tenth_of_the_products_is_in_stock_somewhere():
    stores = store_network(2_000)
    assert len(np.unique(stores.stocked_products)) == STOCKED_SHARE * 2_000
    everywhere = np.arange(len(stores.places))
    assert stores.products_in(everywhere, 2_000).sum() == STOCKED_SHARE * 2_000
    assert not stores.products_in(np.array([], dtype=int), 2_000).any()
