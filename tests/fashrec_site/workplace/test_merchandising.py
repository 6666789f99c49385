"""Pins, boosts and buries in the workplace: made with a preview, listed, ended, remembered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender.merchandising.services import boost, bury, pin
from recommender.models import MerchandisingRule, RankingProfile, RecommendationLog
from tests.fashrec_site.workplace.world import staff
from tests.recommender.worlds import make_world

RULES = "/admin/recommender/merchandisingrule/"
PREVIEW = f"{RULES}preview/"
PRODUCTS = "/admin/catalog/product/"


@pytest.fixture
def shop():
    """Ann bought the dress, which a skirt looks more like than a coat does, and that than a hat."""
    world = make_world()
    RankingProfile.objects.create(name="shop", is_default=True, backbone=world.backbone)
    for n, item_id in enumerate(("dress", "skirt", "coat", "hat")):
        world.add(item_id, (1, 0.4 * n, 0), popularity=10)
    world.add("shoes", (0, 0, 1), popularity=10, category="Shoes")
    world.shopper("dress")
    return world


def made() -> list[tuple[str, str, float]]:
    found = MerchandisingRule.objects.order_by("product__item_id", "pk")
    return [(rule.product.item_id, rule.kind, rule.amount) for rule in found]


def asked(**changes) -> dict[str, str]:
    return {
        "products": "hat",
        "kind": "boost",
        "amount": "0.5",
        "position": "1",
        "category": "",
        "starts_at": "",
        "ends_at": "",
        "note": "",
        "preview_kind": "shopper",
        "preview_name": "ann",
    } | changes


def ids(items) -> list[str]:
    return [item.product.item_id for item in items]


@pytest.mark.django_db
def test_a_rule_is_made_by_its_form_and_remembers_who_made_it(admin_client, shop):
    later = timezone.now().replace(second=0, microsecond=0) + timedelta(days=7)
    sent = asked(
        kind="bury",
        products="hat\r\n coat\n\nhat",
        category=shop.products["hat"].category_id,
        starts_at=f"{later:%Y-%m-%dT%H:%M}",
        note="returned too often",
    )
    assert admin_client.post(f"{RULES}add/", sent).url == RULES
    assert made() == [("coat", "bury", 0.5), ("hat", "bury", 0.5)]
    rule = MerchandisingRule.objects.first()
    assert (rule.category.name, rule.starts_at, rule.ends_at) == ("Dresses", later, None)
    page = admin_client.get(RULES).content.decode()
    assert "bury by 0.50" in page
    assert f"{later:%-d %b %Y, %H:%M}" in page
    assert "begins later" in page
    assert "admin" in page
    assert "returned too often" in admin_client.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert rule.history.get().history_user.username == "admin"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"products": "hat\nsocks"}, "products", "no product is called socks"),
        ({"products": ""}, "products", "This field is required."),
        ({"products": "hat\ncoat", "kind": "pin"}, "products", "pin one at a time"),
        ({"amount": ""}, "amount", "This is needed."),
        ({"amount": "nan"}, "amount", "Enter a number."),
        ({"amount": "9"}, "amount", "less than or equal to 2"),
        ({"kind": "pin", "position": "0"}, "position", "greater than or equal to 1"),
        ({"starts_at": "2030-01-02T00:00", "ends_at": "2030-01-01T00:00"}, None, "ends after"),
        ({"starts_at": "soon"}, "starts_at", "Enter a valid date/time."),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_reason(
    admin_client, shop, changes, field, reason
):
    form = admin_client.post(f"{RULES}add/", asked(**changes)).context["form"]
    errors = form.errors[field] if field else form.non_field_errors()
    assert reason in " ".join(errors)
    assert made() == []


@pytest.mark.django_db
def test_a_pin_takes_the_place_of_another(admin_client, shop):
    pin(product=shop.products["coat"], position=1)
    admin_client.post(f"{RULES}add/", asked(kind="pin"))
    now = timezone.now()
    assert [r.product.item_id for r in MerchandisingRule.objects.holding(now)] == ["hat"]
    assert MerchandisingRule.objects.count() == 2


@pytest.mark.django_db
def test_the_preview_shows_what_saving_would_and_saves_nothing(admin_client, shop):
    comparison = admin_client.post(PREVIEW, asked()).context["comparison"]
    assert ids(comparison.before) == ["skirt", "coat", "hat", "shoes"]
    assert ids(comparison.after) == ["hat", "skirt", "coat", "shoes"]
    assert ("The shop", 0.5) in comparison.after[0].bars
    terms = comparison.after[0].terms
    assert terms.relevance == pytest.approx(sum(v for _, v in comparison.after[0].bars))
    pinned = admin_client.post(PREVIEW, asked(kind="pin", products="shoes", position="2"))
    after = pinned.context["comparison"].after
    assert ids(after) == ["skirt", "shoes", "coat", "hat"]
    assert [item.pinned for item in after] == [False, True, False, False]
    assert made() == []
    assert not RecommendationLog.objects.exists()


@pytest.mark.django_db
def test_a_categorys_rule_is_shown_in_its_rail_or_said_to_be_elsewhere(admin_client, shop):
    there = asked(category=shop.products["dress"].category_id)
    comparison = admin_client.post(PREVIEW, there).context["comparison"]
    assert ids(comparison.after)[0] == "hat"
    elsewhere = asked(category=shop.products["shoes"].category_id)
    page = admin_client.post(PREVIEW, elsewhere)
    assert page.context["comparison"].is_same
    assert "bought nothing of that category" in page.content.decode()
    beside = asked(preview_kind="product", preview_name="dress")
    assert ids(admin_client.post(PREVIEW, beside).context["comparison"].after)[0] == "hat"


@pytest.mark.django_db
def test_the_list_is_narrowed_by_time_and_kind_and_ends_rules(admin_client, shop):
    now = timezone.now()
    boost(products=[shop.products["hat"]], amount=0.1)
    bury(products=[shop.products["coat"]], amount=0.1, starts_at=now + timedelta(days=1))

    def listed(query):
        page = admin_client.get(f"{RULES}?{query}")
        return {rule.product.item_id for rule in page.context["cl"].result_list}

    assert listed("when=now") == {"hat"}
    assert listed("when=later") == {"coat"}
    assert listed("when=over") == set()
    assert listed("kind=buries") == {"coat"}
    assert listed("kind=delete") == {"hat", "coat"}
    chosen = list(MerchandisingRule.objects.values_list("pk", flat=True))
    admin_client.post(RULES, {"action": "end_now", "_selected_action": chosen})
    assert listed("when=over") == {"hat"}  # what had not begun is gone
    assert MerchandisingRule.objects.count() == 1


@pytest.mark.django_db
def test_the_list_costs_as_many_queries_for_any_number(admin_client, shop):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(RULES).status_code == 200
        return len(captured)

    boost(products=[shop.products["hat"]], amount=0.1)
    few = queries()
    boost(products=[shop.products["coat"], shop.products["skirt"]], amount=0.1)
    assert queries() == few <= 12


@pytest.mark.django_db
def test_products_lead_to_the_form_one_by_one_and_many_at_once(admin_client, shop):
    hat = shop.products["hat"]
    boost(products=[hat], amount=0.1)
    page = admin_client.get(f"{PRODUCTS}{hat.pk}/change/").content.decode()
    assert "Boost by 0.10" in page
    assert "add/?kind=bury&amp;products=hat" in page
    form = admin_client.get(f"{RULES}add/?kind=bury&products=hat").context["form"]
    assert form["products"].value() == "hat"
    chosen = {"action": "merchandise", "_selected_action": [hat.pk, shop.products["coat"].pk]}
    form = admin_client.post(PRODUCTS, chosen).context["form"]
    assert set(form["products"].value().split()) == {"hat", "coat"}


@pytest.mark.django_db
def test_analysts_see_rules_and_make_and_end_none(client, shop):
    boost(products=[shop.products["hat"]], amount=0.1)
    rule = MerchandisingRule.objects.get()
    client.force_login(staff("ann", groups=("analyst",)))
    assert client.get(RULES).status_code == 200
    assert client.get(f"{RULES}add/").status_code == 403
    assert client.post(PREVIEW, asked()).status_code == 403
    page = client.get(f"{PRODUCTS}{shop.products['hat'].pk}/change/").content.decode()
    assert "Boost by 0.10" in page
    assert "add/?kind" not in page
    client.post(RULES, {"action": "end_now", "_selected_action": [rule.pk]})
    client.force_login(staff("carl", groups=("curator",)))
    assert client.post(PREVIEW, asked()).status_code == 200
    rule.refresh_from_db()
    assert rule.ends_at is None


@pytest.mark.django_db(transaction=True)
def test_a_boost_is_tried_saved_and_seen_on_the_products_page(desk, shop):
    page = desk.page
    desk.open(f"{PRODUCTS}{shop.products['hat'].pk}/change/", "telephone")
    page.click("text=Boost >> nth=-1")
    page.wait_for_selector("#id_amount")
    page.wait_for_selector("#id_position", state="hidden")
    page.locator("#id_amount").locator("xpath=../input[@type='range']").fill("0.9")
    desk.check()
    desk.open(page.url.removeprefix(desk.url))
    page.fill("#id_amount", "0.9")
    page.fill("#preview-name", "ann")
    page.locator("#preview-name").blur()
    page.wait_for_selector("section[aria-label=After] .item")
    assert "hat" in page.locator("section[aria-label=After] .item").first.inner_text()
    desk.check()
    page.click("text=Save")
    page.wait_for_url(f"**{RULES}")
    assert "boost by 0.90" in page.inner_text("#result_list")
    desk.check()
    assert made() == [("hat", "boost", 0.9)]
