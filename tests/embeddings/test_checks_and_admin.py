"""System checks, and the admin's pages of a catalogue with embeddings."""

import pytest
from django.urls import reverse

from embeddings.checks import check_runtime, check_segmentation_palette, check_weights_folder
from embeddings.models import Backbone, FidelityCheck
from tests.factories import EmbeddingFactory, ProductVectorFactory


def test_a_palette_that_is_none_is_an_error_with_a_hint(settings, tmp_path):
    settings.FASHREC_SEGMENTATION_PALETTE = tmp_path / "absent.json"

    (error,) = check_segmentation_palette(None)

    assert error.id == "embeddings.E001"
    assert "absent.json: expected a JSON object" in error.msg


def test_a_weights_folder_that_is_none_is_a_warning(settings, tmp_path):
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "absent"

    assert [check.id for check in check_weights_folder(None)] == ["embeddings.W001"]


def test_an_unknown_runtime_is_an_error_that_names_the_known_ones(settings):
    settings.FASHREC_EMBEDDING_RUNTIME = "gpu"

    (error,) = check_runtime(None)

    assert (error.id, error.msg) == ("embeddings.E002", "FASHREC_EMBEDDING_RUNTIME is 'gpu'")
    assert "cuda, openvino-bf16, openvino-int8, openvino-fp32, torch-bf16, torch-fp32" in error.hint


def test_good_settings_pass(settings, tmp_path):
    settings.FASHREC_WEIGHTS_DIR = tmp_path
    settings.FASHREC_EMBEDDING_RUNTIME = "torch-fp32"

    assert check_segmentation_palette(None) == check_weights_folder(None) == []
    assert check_runtime(None) == []


@pytest.mark.django_db
def test_the_admin_shows_why_a_way_is_refused_and_lets_it_be_measured_again(admin_client):
    check = FidelityCheck.objects.create(
        backbone=EmbeddingFactory().backbone, way="torch-bf16, full decoding", reason="worst 0.97"
    )

    listed = admin_client.get(reverse("admin:embeddings_fidelitycheck_changelist"))
    delete = reverse("admin:embeddings_fidelitycheck_delete", args=[check.pk])
    admin_client.post(delete, {"post": "yes"})

    assert "worst 0.97" in listed.content.decode()
    assert not FidelityCheck.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["backbone", "embedding", "productvector"])
def test_the_admin_lists_and_shows_rows_without_their_vectors(admin_client, model):
    vector = ProductVectorFactory(vector=[0.125, 0.5, 0.25])
    rows = {"backbone": vector.backbone, "embedding": vector.embedding, "productvector": vector}

    listed = admin_client.get(reverse(f"admin:embeddings_{model}_changelist"))
    shown = admin_client.get(reverse(f"admin:embeddings_{model}_change", args=[rows[model].pk]))

    assert listed.status_code == shown.status_code == 200
    assert "0.125" not in listed.content.decode() + shown.content.decode()


@pytest.mark.django_db
def test_the_list_of_embeddings_takes_as_many_queries_for_ten_as_for_two(
    admin_client, django_assert_max_num_queries
):
    backbone = EmbeddingFactory().backbone
    EmbeddingFactory.create_batch(9, backbone=backbone)

    with django_assert_max_num_queries(9):
        admin_client.get(reverse("admin:embeddings_embedding_changelist"))


@pytest.mark.django_db
def test_a_backbone_can_be_retired_in_the_admin(admin_client):
    backbone = ProductVectorFactory().backbone

    admin_client.post(reverse("admin:embeddings_backbone_change", args=[backbone.pk]), {})

    assert not Backbone.objects.get(pk=backbone.pk).is_active
