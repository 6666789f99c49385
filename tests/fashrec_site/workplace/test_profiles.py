"""Ranking profiles: refused where they cannot rank, previewed, cloned, made the default."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender.models import RankingProfile, RecommendationLog
from tests.factories import BackboneFactory
from tests.fashrec_site.workplace.test_matrix import shop  # noqa: F401 - a fixture
from tests.fashrec_site.workplace.world import staff

PROFILES = "/admin/recommender/rankingprofile/"
SETTINGS = {
    "name": "new",
    "weight_visual": "0.7",
    "weight_popularity": "0.3",
    "weight_category": "0",
    "weight_proximity": "0",
    "penalty_exponent": "2",
    "k": "5",
    "backbone": "",
    "filter_gender": "on",
}


def add(client, **changes):
    return client.post(f"{PROFILES}add/", SETTINGS | changes)


def errors(answer):
    return answer.context["adminform"].form.errors


@pytest.mark.django_db
def test_a_profile_that_cannot_rank_is_refused_with_the_reason(admin_client, shop):  # noqa: F811
    zero = add(admin_client, weight_visual="0", weight_popularity="0", weight_proximity="1")
    assert "every product would be equally relevant" in errors(zero)["weight_visual"][0]
    without = add(admin_client, backbone=str(BackboneFactory(name="vgg16").pk))
    assert errors(without)["backbone"] == [
        "No product has a vector of vgg16 yet, so that it could rank nothing. "
        "Embed the products with it first; backbones with vectors: hand."
    ]
    assert "backbone" not in errors(add(admin_client, backbone=str(shop.backbone.pk), k="101"))
    assert errors(add(admin_client, weight_visual="-1", k="0")).keys() == {"weight_visual", "k"}
    slip = add(admin_client, weight_visual="9999")
    assert errors(slip)["weight_visual"] == ["Ensure this value is less than or equal to 10.0."]
    assert not RankingProfile.objects.filter(name="new").exists()


@pytest.mark.django_db
def test_one_profile_is_the_default_and_history_knows_which_was(admin_client, admin_user):
    old = RankingProfile.objects.create(name="old", is_default=True)
    assert add(admin_client, is_default="on").status_code == 302
    new = RankingProfile.objects.get(is_default=True)
    assert new.name == "new"
    assert [h.is_default for h in old.history.all()] == [False, True]
    assert old.history.first().history_user == admin_user
    undone = admin_client.post(f"{PROFILES}{new.pk}/change/", SETTINGS)
    assert errors(undone)["is_default"] == [
        "Some profile must: make another one the default instead."
    ]
    assert admin_client.post(f"{PROFILES}{new.pk}/delete/", {"post": "yes"}).status_code == 403
    data = {"action": "set_default", "_selected_action": [old.pk]}
    admin_client.post(PROFILES, data)
    assert RankingProfile.objects.get(is_default=True) == old


@pytest.mark.django_db
def test_a_clone_is_a_form_filled_in_and_nothing_until_it_is_saved(admin_client):
    RankingProfile.objects.create(name="old", weight_visual=0.55, k=9, filter_gender=False)
    page = admin_client.get(PROFILES)
    assert page.status_code == 200
    link = page.content.decode().split("add/?")[1].split('"')[0].replace("&amp;", "&")
    form = admin_client.get(f"{PROFILES}add/?{link}").context["adminform"].form
    values = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    assert (values["name"], values["weight_visual"], values["k"]) == ("old (copy)", "0.55", "9")
    assert RankingProfile.objects.count() == 1


@pytest.mark.django_db
def test_the_live_preview_shows_what_saving_the_form_would(admin_client, shop):  # noqa: F811
    profile = RankingProfile.objects.get(name="kinds")
    shop.products["hat"].popularity.base = 100
    shop.products["hat"].popularity.save()
    asked = SETTINGS | {
        "profile": str(profile.pk),
        "preview_kind": "shopper",
        "preview_name": "ann",
        "weight_visual": "0",
        "weight_category": "1",
        "weight_popularity": "0.1",
    }
    comparison = admin_client.post("/admin/profile/preview/", asked).context["comparison"]
    assert comparison.after[0].terms.category == pytest.approx(0.1)
    assert comparison.before[0].terms.category == pytest.approx(0.05)
    assert [item.product.item_id for item in comparison.after] == ["skirt", "hat"]
    assert RankingProfile.objects.get(name="kinds").weight_category == 0.5
    assert not RecommendationLog.objects.exists()
    refused = admin_client.post(
        "/admin/profile/preview/", asked | {"weight_category": "0", "weight_popularity": "0"}
    )
    assert "Give at least one of them a weight" in refused.content.decode()
    nobody = admin_client.post("/admin/profile/preview/", asked | {"preview_name": "x"})
    assert "no shopper or product of that name" in nobody.content.decode()


@pytest.mark.django_db
def test_the_list_costs_as_many_queries_for_any_number(admin_client, shop):  # noqa: F811
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(PROFILES).status_code == 200
        return len(captured)

    few = queries()
    for i in range(5):
        RankingProfile.objects.create(name=f"p{i}", backbone=shop.backbone)
    assert queries() == few <= 12


@pytest.mark.django_db(transaction=True)
def test_sliders_move_the_numbers_and_the_preview_follows(desk, shop):  # noqa: F811
    profile = RankingProfile.objects.get(name="kinds")
    page = desk.page
    for window in ("telephone", "desk"):
        desk.open(f"{PROFILES}{profile.pk}/change/", window)
        desk.check()
    page.fill("#preview-name", "ann")
    page.locator("#preview-name").blur()
    page.wait_for_selector(".comparison")
    page.locator("#id_weight_category").locator("xpath=../input[@type='range']").fill("0.9")
    assert page.input_value("#id_weight_category") == "0.9"
    page.wait_for_function("document.querySelector('#preview').innerText.includes('w_c 0.9')")
    assert page.locator("section[aria-label=After] .item").count() == 2
    page.press("#preview-name", "Enter")  # asks again, and saves nothing
    assert page.url.endswith(f"{profile.pk}/change/")
    desk.check()
    desk.open(f"{PROFILES}{profile.pk}/history/")
    assert RankingProfile.objects.get(pk=profile.pk).weight_category != 0.9
    desk.check()


@pytest.mark.django_db
def test_an_earlier_version_comes_back_for_who_may_change_it_only(client):
    profile = RankingProfile.objects.create(name="old", k=3)
    profile.k = 9
    profile.save()
    version = f"{PROFILES}{profile.pk}/history/{profile.history.last().pk}/"
    client.force_login(staff("anna", groups=("analyst",)))
    assert client.get(version).status_code == 200
    assert client.post(version, SETTINGS | {"name": "old", "k": "3"}).status_code == 403
    assert RankingProfile.objects.get().k == 9
    client.force_login(staff("carl", groups=("curator",)))
    assert client.post(version, SETTINGS | {"name": "old", "k": "3"}).status_code == 302
    assert RankingProfile.objects.get().k == 3
