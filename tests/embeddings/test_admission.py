"""Faster ways to embed: measured once on the catalogue's photos, admitted or refused in a row."""

import io

import numpy as np
import pytest
import torch

from embeddings import admission, eight_bits, fidelity_sample, services
from embeddings.admission import MAX_LOST, REFERENCE_WAY, Way, candidate_ways, choose_way
from embeddings.encoders import cached_encoder
from embeddings.models import Embedding, FidelityCheck
from embeddings.nets import fidelity
from embeddings.nets.backbones import BACKBONES
from embeddings.nets.runtimes import OPENVINO_FP32, OPENVINO_INT8, REFERENCE, TORCH_BF16
from tests.embeddings.drawn_photos import photo_of
from tests.embeddings.nets.tiny_backbone import TINY, as_safetensors, tiny_state
from tests.factories import ProductImageFactory

pytestmark = pytest.mark.django_db

N_PHOTOS = 70  # enough of the sample to say something about neighbours
FAST, SLOW = Way(OPENVINO_FP32, is_reduced=False), Way(TORCH_BF16, is_reduced=False)


class Scaled:
    """A network whose features are the reference's, times noise."""

    def __init__(self, network, noise):
        self.network, self.noise = network, noise

    def features(self, crops):
        found = self.network.features(crops)
        return found * (1 + self.noise * np.random.default_rng(0).standard_normal(found.shape))


@pytest.fixture
def tiny(settings, tmp_path, monkeypatch):
    """The tiny network as a registered backbone, with its weights in a folder."""
    monkeypatch.setitem(BACKBONES, "tiny", TINY)
    settings.FASHREC_WEIGHTS_DIR = tmp_path
    (tmp_path / "tiny.safetensors").write_bytes(as_safetensors(tiny_state()))
    yield services.register_backbone(name="tiny")
    cached_encoder.cache_clear()
    admission._fast_encoder.cache_clear()


@pytest.fixture
def ways(monkeypatch):
    """`ways({way: noise})`: this machine has these ways, each as faithful as its noise is small.

    The network runs in torch underneath, a stand-in for runtimes that the machine may lack. Returns
    the list of runtimes that were built.
    """
    built = []

    def arrange(noises):
        def stand_in(network, runtime):
            built.append(runtime)
            noise = {way.runtime: noise for way, noise in noises.items()}.get(runtime, 0)
            if isinstance(noise, Exception):
                raise noise
            return Scaled(network, noise)

        monkeypatch.setattr(admission, "candidate_ways", lambda: list(noises))
        monkeypatch.setattr(admission, "accelerated", stand_in)
        monkeypatch.setattr(fidelity_sample, "DECODING_SAMPLE_SIZE", 4)  # they are enlarged
        return built

    return arrange


@pytest.fixture
def photos():
    return [ProductImageFactory(content=photo_of(seed)) for seed in range(N_PHOTOS)]


def choose(backbone):
    return choose_way(backbone, min_photos=N_PHOTOS)


def test_the_first_faithful_way_is_admitted_and_stored(tiny, ways, photos):
    ways({FAST: 0, SLOW: 0})

    decision = choose(tiny)

    check = FidelityCheck.objects.get(way=FAST.name)
    assert decision.way == FAST
    assert (check.is_admitted, check.weights_sha256) == (True, tiny.weights_sha256)
    assert check.figures["n_photos"] == N_PHOTOS
    assert check.figures["mean_cosine"] == pytest.approx(1)
    assert not FidelityCheck.objects.filter(way=SLOW.name).exists()


def test_an_unfaithful_way_is_refused_with_its_reason_and_the_next_is_taken(tiny, ways, photos):
    ways({FAST: 0.5, SLOW: 0})

    decision = choose(tiny)

    check = FidelityCheck.objects.get(way=FAST.name)
    assert decision.way == SLOW
    assert not check.is_admitted
    assert check.reason.startswith("mean-centred cosine 0.")


def test_where_all_are_refused_the_reference_embeds_and_says_why(tiny, ways, photos):
    ways({FAST: 0.5, SLOW: RuntimeError("no such\ninstruction")})

    decision = choose(tiny)
    again = choose(tiny)

    assert decision.way == again.way == REFERENCE_WAY
    assert f"{SLOW.name}: it failed: no such instruction" in again.reason
    assert isinstance(admission.encoder_of(tiny, decision.way).network.module, torch.nn.Module)


def test_what_was_measured_is_not_measured_again(tiny, ways, photos):
    built = ways({FAST: 0.5, SLOW: 0})
    choose(tiny)
    n_built = len(built)

    assert choose(tiny).way == SLOW
    assert len(built) == n_built


@pytest.mark.parametrize("changed", ["weights", "versions"])
def test_other_weights_or_versions_are_measured_anew(tiny, ways, photos, changed, monkeypatch):
    built = ways({FAST: 0})
    choose(tiny)
    n_built = len(built)
    if changed == "weights":
        FidelityCheck.objects.update(weights_sha256="e" * 64)
    else:
        monkeypatch.setattr(admission, "circumstances", lambda: "openvino 3000, P")

    choose(tiny)

    assert len(built) > n_built
    assert FidelityCheck.objects.filter(way=FAST.name).count() == 2


def test_a_small_catalogue_is_embedded_by_the_reference_and_nothing_is_stored(tiny, ways, photos):
    ways({FAST: 0})

    decision = choose_way(tiny, min_photos=N_PHOTOS + 1)

    assert decision.way == REFERENCE_WAY
    assert decision.reason == f"faster ways are measured from {N_PHOTOS + 1} photos on"
    assert not FidelityCheck.objects.exists()


def test_photos_that_cannot_be_read_do_not_stop_the_measuring(tiny, ways, photos):
    ways({FAST: 0})
    ProductImageFactory(content=b"no photo")
    gone = ProductImageFactory(content=photo_of(1000))
    gone.image.storage.delete(gone.image.name)

    assert choose(tiny).way == FAST
    assert FidelityCheck.objects.get(way=FAST.name).figures["n_photos"] == N_PHOTOS


def test_after_three_lost_processes_nobody_measures_any_more(tiny, ways, photos):
    built = ways({FAST: 0})
    FidelityCheck.objects.create(
        backbone=tiny,
        weights_sha256=tiny.weights_sha256,
        way=admission.MEASURING,
        circumstances=admission.circumstances(),
        attempts=MAX_LOST,
    )

    decision = choose(tiny)

    assert decision.way == REFERENCE_WAY
    assert decision.reason.startswith("3 processes were lost while they measured")
    assert built == []


def test_an_interrupted_measurement_leaves_nothing_behind(tiny, ways, photos):
    ways({FAST: 0})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            admission, "sample_photos", lambda _: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            choose(tiny)

    assert not FidelityCheck.objects.exists()
    assert choose(tiny).way == FAST


def test_embedding_takes_the_admitted_way_and_names_it(tiny, ways, photos, monkeypatch):
    ways({FAST: 0})
    monkeypatch.setattr(services, "choose_way", choose)

    summary = services.embed_missing(backbone=tiny)

    assert (summary.n_ready, summary.n_failed) == (N_PHOTOS, 0)
    assert summary.way.startswith("openvino-fp32, full decoding (n photos 70, mean cosine 1, ")
    row = Embedding.objects.get(image=photos[3])
    alone = cached_encoder("tiny", tiny.weights_sha256)
    with photos[3].image.open() as file:
        crop = admission.NetworkEncoder.prepare(alone, decoded(file.read()), None, None)
    expected = alone.encode([crop])[0]
    np.testing.assert_allclose(np.array(row.vector), expected / np.linalg.norm(expected), atol=2e-3)


def decoded(content):
    from embeddings.photos import read_reduced

    return read_reduced(io.BytesIO(content), None)


def test_decoding_smaller_is_refused_where_it_moves_the_embedding(tiny, ways, photos, monkeypatch):
    reduced = Way(OPENVINO_FP32, is_reduced=True)
    ways({reduced: 0, FAST: 0})
    monkeypatch.setattr(admission.fidelity, "MIN_DECODING_COSINE", 1.1)  # what nothing reaches

    decision = choose(tiny)

    decoding = FidelityCheck.objects.get(way=admission.REDUCED_DECODING)
    assert decision.way == FAST
    assert decoding.figures["n_photos"] == 4
    assert 0.9 < decoding.figures["worst_cosine"] <= decoding.figures["mean_cosine"] < 1.0001
    assert decoding.reason.startswith("worst cosine ")
    assert FidelityCheck.objects.get(way=reduced.name).reason.startswith("reduced decoding: worst")


def test_a_forced_runtime_is_the_only_candidate(settings, monkeypatch):
    monkeypatch.setattr(admission, "_runtimes_here", lambda: (OPENVINO_FP32, TORCH_BF16, REFERENCE))

    offered = {way.runtime for way in candidate_ways()}
    settings.FASHREC_EMBEDDING_RUNTIME = TORCH_BF16
    forced = {way.runtime for way in candidate_ways()}
    settings.FASHREC_EMBEDDING_RUNTIME = REFERENCE
    reference = candidate_ways()
    settings.FASHREC_EMBEDDING_RUNTIME = "cuda"

    assert offered == {OPENVINO_FP32, TORCH_BF16, REFERENCE}
    assert forced == {TORCH_BF16}
    assert reference == candidate_ways() == []


@pytest.fixture
def int8_only(settings, tmp_path, monkeypatch):
    """A machine that could embed in eight bits and by the reference; photos are decoded in full."""
    settings.FASHREC_HOME = tmp_path / "home"
    ways = [Way(OPENVINO_INT8, is_reduced=False)]
    monkeypatch.setattr(admission, "candidate_ways", lambda: ways)
    monkeypatch.setattr(fidelity_sample, "DECODING_SAMPLE_SIZE", 4)
    monkeypatch.setattr(eight_bits, "SAMPLE_SIZE", 0)  # calibrated on what is measured, too
    return ways[0]


@pytest.fixture
def lenient(monkeypatch):
    """A gate that the tiny network's eight bits pass."""
    monkeypatch.setattr(fidelity, "MIN_WORST_COSINE", 0.9)
    monkeypatch.setattr(fidelity, "MIN_TOP5_IN_TOP10", 0.9)


def test_eight_bits_must_be_as_faithful_as_others(tiny, int8_only, photos):
    assert choose(tiny).way == REFERENCE_WAY
    check = FidelityCheck.objects.get(way=int8_only.name)
    assert check.reason.startswith("worst cosine 0.9")
    assert set(check.figures) >= {"mean_cosine", "precision_change"}


def test_eight_bits_are_calibrated_on_the_catalogue_and_kept(tiny, int8_only, lenient, photos):
    assert choose(tiny).way == int8_only

    file = eight_bits.int8_file(tiny)
    written = file.stat().st_mtime_ns
    assert choose(tiny).way == int8_only  # neither calibrated nor measured again
    assert file.stat().st_mtime_ns == written
    crops = np.random.default_rng(0).integers(0, 255, (3, 224, 224, 3), dtype=np.uint8)
    assert admission.encoder_of(tiny, int8_only).encode(list(crops)).shape == (3, 16)


def test_a_machine_without_the_calibrated_file_measures_its_own(tiny, int8_only, lenient, photos):
    choose(tiny)
    file = eight_bits.int8_file(tiny)
    file.unlink()

    assert admission.known_way(tiny) == REFERENCE_WAY
    assert choose(tiny).way == int8_only
    assert file.is_file()


def test_too_few_photos_to_calibrate_on_are_a_refusal(tiny, int8_only, photos, monkeypatch):
    monkeypatch.setattr(eight_bits, "SAMPLE_SIZE", 40)

    assert choose(tiny).way == REFERENCE_WAY
    check = FidelityCheck.objects.get(way=int8_only.name)
    assert check.reason == "it failed: 30 photos to calibrate on, expected 64"
