"""What the metric pulls together, and the loss of photos mixed in pairs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from embeddings.nets.label_network import build_label_network
from embeddings.training.finetuning import task
from embeddings.training.finetuning.photos import Head, TrainingPhotos
from embeddings.training.finetuning.views import View
from tests.embeddings.training.finetuning.labelled_drawings import random_classifier

SIDE, N = 32, 8


@pytest.fixture
def photos():
    """Six of a shop, with category, gender and season, and two of another set."""
    unknown = [-1, -1]
    return TrainingPhotos(
        pixels=np.zeros((N, SIDE, SIDE, 3), np.uint8),
        set_names=np.array(["shop"] * 6 + ["phone"] * 2),
        split=np.array(["train"] * N),
        heads=(
            Head("category", "category", "shop", ("Shirts", "Shoes")),
            Head("gender", "gender", "shop", ("MEN", "WOMEN")),
            Head("season", "season", "shop", ("Summer", "Winter")),
            Head("category@phone", "category", "phone", ("Shirts", "Shoes")),
        ),
        targets={
            "category": np.array([0, 0, 0, 1, 1, -1, *unknown]),
            "gender": np.array([0, 0, 1, 0, 0, 1, *unknown]),
            "season": np.array([0, 1, 0, 1, 0, 1, *unknown]),
            "category@phone": np.array([-1] * 6 + [0, 0]),
        },
        fingerprint="none",
    )


@pytest.fixture
def label_task(photos):
    torch.manual_seed(7)
    heads = {head.name: len(head.values) for head in photos.heads}
    module = build_label_network("mobilenet_v2", random_classifier(), heads, SIDE).eval()
    with torch.no_grad():
        shape = module.frozen(torch.zeros(1, 3, SIDE, SIDE)).shape[1:]
    rng = np.random.default_rng(7)
    cells = rng.integers(0, 256, (N, 32, 32, 3), dtype=np.uint8)
    view = View(rng.random((N, *shape), dtype=np.float32), cells)
    return task.LabelTask(module, photos, [view], [view, view])


def test_the_metric_pulls_together_what_agrees_in_category_and_gender(photos):
    clusters = task._clusters(photos)
    assert clusters[0] == clusters[1]
    assert clusters[3] == clusters[4]
    assert clusters[6] == clusters[7]
    assert len(set(clusters)) == 5  # and the one without a category is alone


def test_photos_of_a_set_without_a_learned_label_are_alone(photos):
    heads = tuple(head for head in photos.heads if head.set_name == "shop")
    clusters = task._clusters(replace(photos, heads=heads))
    assert clusters[0] == clusters[1]
    assert len(set(clusters)) == 6  # both of the other set among them


def test_labels_that_nobody_searches_by_count_less(label_task):
    assert label_task._shares["category"] == label_task._shares["category@phone"] == 1.0
    assert label_task._shares["season"] == task.SIDE_SHARE


def test_photos_mixed_with_themselves_have_the_loss_of_plain_ones(label_task, monkeypatch):
    monkeypatch.setattr(task, "MIXED_SHARE", 1.0)
    same = np.zeros(N, int)
    mixed = label_task.loss(same, np.random.default_rng(1)).item()
    parts = label_task._parts(*label_task._drawn_views(same, np.random.default_rng(1)))
    assert mixed == pytest.approx(label_task._cross_entropy(parts, same).item(), rel=1e-5)
    assert mixed > 0


def test_a_photo_and_its_mirror_image_have_one_vector(label_task):
    photos = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))
    found, mirrored = label_task.module(photos), label_task.module(photos.flip(3))
    assert torch.allclose(found, mirrored, atol=1e-7)
    assert (found[0] - found[1]).abs().max() > 1e-5
    assert found.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)


def test_mixed_activations_are_the_share_of_one_and_the_rest_of_the_other(label_task, monkeypatch):
    seen = {}

    def parts(stem, cells):
        seen["stem"], seen["cells"] = stem, cells

    monkeypatch.setattr(label_task.module, "parts", parts)
    stem = np.zeros((2, 3, 2, 2), np.float32)
    stem[1] = 8.0
    label_task._parts(stem, np.zeros((2, 32, 32, 3), np.uint8), np.array([1, 0]), share=0.75)
    assert seen["stem"][0].unique().item() == pytest.approx(2.0)
    assert seen["stem"][1].unique().item() == pytest.approx(6.0)
