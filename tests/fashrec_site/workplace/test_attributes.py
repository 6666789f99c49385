"""Suggested labels in the admin: accepted and dismissed in bulk, and how far to believe them."""

import pytest
from django.urls import reverse

from embeddings.attributes.models import AttributeSuggestion
from embeddings.attributes.services import suggest_attributes
from fashrec_site.workplace.roles import ensure_roles
from tests.embeddings.attributes.told import registered, tell
from tests.factories import CategoryFactory, ProductFactory
from tests.fashrec_site.workplace.world import staff

LIST = "/admin/embeddings/attributesuggestion/"


def world(settings, tmp_path, n_products=3):
    """Shirts without a colour that are told to be white, none of them trained on."""
    settings.FASHREC_WEIGHTS_DIR = tmp_path / "weights"
    backbone = registered(settings.FASHREC_WEIGHTS_DIR)
    shirts = CategoryFactory(name="Shirts")
    products = [
        ProductFactory(category=shirts, gender="MEN", title=title)
        for title in ("a", "c", "e", "f")[:n_products]
    ]
    for product in products:
        tell(backbone, product, (0.98, 0.02), (0.1, 0.3, 0.6))
    suggest_attributes(backbone=backbone)
    return backbone, products


def act(client, action, suggestions):
    chosen = [suggestion.pk for suggestion in suggestions]
    answer = client.post(LIST, {"action": action, "_selected_action": chosen}, follow=True)
    return [str(message) for message in answer.context["messages"]]


@pytest.mark.django_db
def test_a_curator_accepts_and_dismisses_in_bulk(client, settings, tmp_path):
    ensure_roles()
    _, products = world(settings, tmp_path)
    client.force_login(staff("curator", groups=("curator",)))
    found = list(AttributeSuggestion.objects.order_by("product"))

    assert act(client, "accept", found[:2]) == ["2 suggestions accepted."]
    assert act(client, "dismiss", found[2:]) == ["1 suggestions dismissed."]

    for product in products:
        product.refresh_from_db()
    assert [product.color for product in products] == ["White", "White", ""]
    states = AttributeSuggestion.objects.order_by("product").values_list("state", flat=True)
    assert list(states) == ["accepted", "accepted", "dismissed"]


@pytest.mark.django_db
def test_who_may_only_look_is_offered_no_action(client, settings, tmp_path):
    ensure_roles()
    _, products = world(settings, tmp_path)
    client.force_login(staff("analyst", groups=("analyst",)))
    act(client, "accept", AttributeSuggestion.objects.all())
    products[0].refresh_from_db()
    assert products[0].color == ""
    assert AttributeSuggestion.objects.filter(state="open").count() == 3
    assert b'value="accept"' not in client.get(LIST).content


@pytest.mark.django_db
def test_the_list_asks_as_often_for_four_rows_as_for_two(
    admin_client, settings, tmp_path, django_assert_max_num_queries
):
    world(settings, tmp_path, n_products=4)
    admin_client.get(LIST)
    with django_assert_max_num_queries(14):
        page = admin_client.get(LIST).content.decode()
    assert page.count("60 %") == 4


@pytest.mark.django_db
def test_the_plot_is_drawn_of_products_that_were_not_trained_on(admin_client, settings, tmp_path):
    backbone, products = world(settings, tmp_path)
    address = reverse("admin:attribute_confusion_plot", args=[backbone.pk, "color"])
    assert admin_client.get(address).status_code == 404
    products[0].color = "White"
    products[0].save()
    drawn = admin_client.get(address)
    assert (drawn["Content-Type"], drawn.content[:4]) == ("image/png", b"\x89PNG")
    page = admin_client.get(reverse("admin:attribute_confusion")).content.decode()
    assert address in page


@pytest.mark.django_db(transaction=True)
def test_the_pages_can_be_read_by_everybody(desk, settings, tmp_path):
    _, products = world(settings, tmp_path)
    for product in products:
        product.color, product.season, product.usage = "White", "Fall", "Casual"
        product.save()
    desk.open(LIST)
    desk.check()
    desk.open(reverse("admin:attribute_confusion"))
    desk.complaints = [c for c in desk.complaints if not c.startswith("404")]
    assert desk.page.get_by_alt_text("Confusion of Color as told by mine").is_visible()
    desk.check()
