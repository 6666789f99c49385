"""Suggestions: what is suggested, and what accepting and dismissing does."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from embeddings.attributes.confusion import confusion
from embeddings.attributes.models import AttributeSuggestion
from embeddings.attributes.services import (
    NoAttributesError,
    accept_suggestions,
    dismiss_suggestions,
    suggest_attributes,
)
from tests.embeddings.attributes.told import registered, tell
from tests.factories import BackboneFactory, CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db
SURE, LIKELY, DOUBTFUL = (0.02, 0.98), (0.3, 0.7), (0.4, 0.2, 0.4)


@pytest.fixture
def backbone(settings, tmp_path):
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "weights"
    return registered(settings.FASHREC_WEIGHTS_DIR)


@pytest.fixture
def curator():
    return User.objects.create_user("curator")


def rows(**wanted):
    found = AttributeSuggestion.objects.filter(**wanted).order_by("product", "label")
    return [(s.product_id, s.label, s.current, s.value, s.state) for s in found]


def shirt(**given):
    return ProductFactory(category=CategoryFactory(name="Shirts"), gender="MEN", **given)


def test_an_empty_field_takes_what_is_likely_and_a_filled_one_what_is_sure(backbone):
    empty, doubtful, sure, likely = shirt(), shirt(), shirt(color="Red"), shirt(color="Red")
    tell(backbone, empty, (0.98, 0.02), (0.1, 0.3, 0.6))
    tell(backbone, doubtful, (0.98, 0.02), DOUBTFUL)
    tell(backbone, sure, SURE, (0.0, 1.0, 0.0))
    tell(backbone, likely, LIKELY, (0.2, 0.1, 0.7))

    summary = suggest_attributes(backbone=backbone)

    assert rows() == [
        (empty.pk, "color", "", "White", "open"),
        (sure.pk, "category", "Shirts", "Shoes", "open"),
    ]
    assert (summary.n_products, summary.n_open) == (4, 2)
    assert AttributeSuggestion.objects.get(product=empty).confidence == pytest.approx(0.6, abs=0.01)


def test_again_gives_the_same_rows_and_drops_what_no_longer_holds(backbone):
    product = shirt()
    tell(backbone, product, (0.98, 0.02), (0.1, 0.3, 0.6))
    suggest_attributes(backbone=backbone)
    suggest_attributes(backbone=backbone)
    assert rows() == [(product.pk, "color", "", "White", "open")]
    product.color = "White"
    product.save()
    assert suggest_attributes(backbone=backbone).n_open == 0
    assert rows() == []


def test_accepting_changes_products_that_are_still_what_they_were(backbone, curator):
    shoes, white, changed = shirt(color="Black"), shirt(), shirt()
    CategoryFactory(name="Shoes")
    tell(backbone, shoes, SURE, (1.0, 0.0, 0.0))
    for product in (white, changed):
        tell(backbone, product, (0.98, 0.02), (0.1, 0.3, 0.6))
    suggest_attributes(backbone=backbone)
    changed.color = "Red"
    changed.save()

    now = timezone.now()
    summary = accept_suggestions(AttributeSuggestion.objects.all(), by=curator, now=now)

    assert (summary.n_accepted, summary.n_outdated) == (2, 1)
    for product in (shoes, white, changed):
        product.refresh_from_db()
    assert (shoes.category.name, white.color, changed.color) == ("Shoes", "White", "Red")
    assert rows() == [
        (shoes.pk, "category", "Shirts", "Shoes", "accepted"),
        (white.pk, "color", "", "White", "accepted"),
    ]
    decided = AttributeSuggestion.objects.get(product=white)
    assert (decided.decided_by, decided.decided_at) == (curator, now)


def test_a_category_that_is_gone_is_not_made_anew(backbone, curator):
    product = shirt(color="Black")
    tell(backbone, product, SURE, (1.0, 0.0, 0.0))
    suggest_attributes(backbone=backbone)
    found = accept_suggestions(AttributeSuggestion.objects.all(), by=curator, now=timezone.now())
    product.refresh_from_db()
    assert (found.n_accepted, found.n_outdated, product.category.name) == (0, 1, "Shirts")


def test_what_was_dismissed_comes_back_only_with_another_value(backbone, curator):
    product = shirt()
    tell(backbone, product, (0.98, 0.02), (0.1, 0.3, 0.6))
    suggest_attributes(backbone=backbone)
    everything = AttributeSuggestion.objects.all()
    assert dismiss_suggestions(everything, by=curator, now=timezone.now()) == 1
    suggest_attributes(backbone=backbone)
    assert rows() == [(product.pk, "color", "", "White", "dismissed")]

    product.images.all().delete()
    tell(backbone, product, (0.98, 0.02), (0.7, 0.2, 0.1))
    suggest_attributes(backbone=backbone)
    assert rows() == [(product.pk, "color", "", "Black", "open")]
    assert AttributeSuggestion.objects.get().decided_by is None


def test_a_backbone_that_tells_no_labels_says_so(backbone):
    with pytest.raises(NoAttributesError, match=r"expected one that manage\.py finetune made here"):
        suggest_attributes(backbone=BackboneFactory())
    backbone.weights_sha256 = "2" * 64
    with pytest.raises(NoAttributesError, match="of other weights than the registered ones"):
        suggest_attributes(backbone=backbone)


def test_the_command_counts_and_refuses_nonsense(backbone, capsys):
    tell(backbone, shirt(), (0.98, 0.02), (0.1, 0.3, 0.6))
    call_command("suggest_attributes", "mine")
    assert capsys.readouterr().out == "1 products looked at, 1 suggestions are open.\n"
    with pytest.raises(CommandError, match="no backbone yours is registered"):
        call_command("suggest_attributes", "yours")
    with pytest.raises(CommandError, match="--min-against: expected a number from 0 to 1"):
        call_command("suggest_attributes", "mine", min_against=2.0)


def test_confusion_counts_products_that_were_not_trained_on(backbone):
    # By the split's hash "b" and "d" are trained on, "a" and "c" are not.
    for title, color in (("b", "Red"), ("d", "Red"), ("a", "Red"), ("c", "White")):
        tell(backbone, shirt(title=title, color=color), (0.98, 0.02), (0.1, 0.3, 0.6))
    found = confusion(backbone, "color")
    assert found.values == ("Red", "White", "other")
    assert found.counts.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert (found.n_products, found.percent_right) == (2, 50.0)
    assert confusion(backbone, "season").n_products == 0
