"""A tiny SegFormer of random weights, through transformers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from embeddings.garments.finding import SEGFORMER, FinderSettings, find_garments, segformer
from embeddings.garments.segformer import Segformer, SegformerUnavailable, label_classes

LABELS = {0: "Background", 1: "Upper-clothes", 2: "Pants", 3: "Left-shoe", 4: "Right-shoe"}


def save_tiny(folder, labels):
    """A SegFormer of two small blocks that anybody can load."""
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    config = transformers.SegformerConfig(
        num_encoder_blocks=2,
        depths=[1, 1],
        sr_ratios=[2, 1],
        hidden_sizes=[8, 16],
        patch_sizes=[7, 3],
        strides=[4, 2],
        num_attention_heads=[1, 2],
        mlp_ratios=[2, 2],
        decoder_hidden_size=16,
        id2label=labels,
        num_labels=len(labels),
    )
    network = transformers.SegformerForSemanticSegmentation(config)
    with torch.no_grad():
        network.decode_head.classifier.bias.copy_(torch.tensor([0.0, 9.0, 0.0, 0.0, 0.0]))
    network.save_pretrained(folder)
    transformers.SegformerImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


def test_its_labels_become_our_classes_and_their_probabilities_add_up(tmp_path):
    source = save_tiny(tmp_path / "tiny", LABELS)
    photo = np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)

    probabilities = Segformer(source).probabilities(photo)
    found = find_garments(photo, FinderSettings(methods=(SEGFORMER,), segformer=source))

    assert probabilities.shape == (8, 8, 8)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    assert label_classes(LABELS).tolist() == [0, 1, 2, 5, 5]
    assert (found.method, found.mask.shape) == (SEGFORMER, (60, 40))
    assert (found.classes == 1).all()  # its bias says upper clothes everywhere


def test_threads_that_ask_at_once_share_one(tmp_path):
    source = save_tiny(tmp_path / "tiny", LABELS)

    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(segformer, [source] * 4))

    assert len(set(map(id, loaded))) == 1


def test_a_folder_that_holds_none_is_refused_by_its_name(tmp_path):
    pytest.importorskip("transformers")

    with pytest.raises(SegformerUnavailable, match=rf"FASHREC_SEGFORMER={tmp_path}: "):
        Segformer(str(tmp_path))
    with pytest.raises(SegformerUnavailable, match="absent: there is no such folder"):
        Segformer(str(tmp_path / "absent"))


def test_labels_that_are_no_clothes_are_named():
    with pytest.raises(SegformerUnavailable, match="labels without a class: road, sky; expected"):
        label_classes({0: "sky", 1: "road", 2: "Pants"})


def test_without_transformers_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("embeddings.garments.segformer.find_spec", lambda name: None)

    with pytest.raises(SegformerUnavailable, match=r"install the extra 'segformer'"):
        Segformer("anything")
