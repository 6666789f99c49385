"""The matrix's page and what it asks the server."""

from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import CategoryGroup, CategorySimilarity, GroupSimilarity
from catalog.similarity.values import Level, stored_values
from recommender.models import RankingProfile, RecommendationLog
from tests.factories import CategoryFactory, CategoryGroupFactory
from tests.fashrec_site.workplace.world import staff
from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
PAGE = "/admin/similarity/"


@pytest.fixture
def shop():
    """A dress was bought; of two equal candidates the one whose category is more alike wins."""
    world = make_world()
    world.add("bought", (1, 0, 0), category="Dress")
    world.add("skirt", (0, 1, 0), category="Skirt")
    world.add("hat", (0, 0, 1), category="Hat")
    world.shopper("bought", trendiness=0)
    RankingProfile.objects.create(name="kinds", weight_category=0.5)
    return world


def edit(a, b, similarity, seen=None, level=Level.CATEGORIES):
    return {"level": level, "a": a.pk, "b": b.pk, "similarity": similarity, "seen": seen}


def send(client, address, **body):
    return client.post(f"{PAGE}{address}/", body, content_type="application/json")


def preview(client, world, edits, profile="kinds", **body):
    key = RankingProfile.objects.get(name=profile).pk
    body = {"kind": "shopper", "name": "ann", "profile": key, "edits": edits} | body
    return send(client, "preview", **body)


def categories(world):
    return [world.products[item].category for item in ("bought", "skirt", "hat")]


def order(comparison):
    return [item.product.item_id for item in comparison.before], [
        (item.product.item_id, item.move) for item in comparison.after
    ]


@pytest.mark.parametrize(("kind", "name"), [("shopper", "ann"), ("product", "bought")])
def test_a_preview_shows_what_saving_would_do_and_changes_nothing(admin_client, shop, kind, name):
    dress, _, hat = categories(shop)
    edits = [edit(dress, hat, 0.9)]
    comparison = preview(admin_client, shop, edits, kind=kind, name=name).context["comparison"]
    assert order(comparison) == (["skirt", "hat"], [("hat", "up 1"), ("skirt", "down 1")])
    assert [term for _, term in comparison.after[0].bars][2] == pytest.approx(0.5 * 0.9)
    assert not CategorySimilarity.objects.exists()
    assert not CategorySimilarity.history.exists()
    assert not RecommendationLog.objects.exists()
    assert send(admin_client, "save", edits=edits).json() == {"changed": 1}
    saved = preview(admin_client, shop, [edit(dress, hat, 0.1, seen=0.9)], kind=kind, name=name)
    before, after = comparison.after, saved.context["comparison"].before
    assert [(i.product.pk, i.terms) for i in before] == [(i.product.pk, i.terms) for i in after]


def test_where_categories_weigh_nothing_the_preview_says_so_and_offers_a_weight(admin_client, shop):
    RankingProfile.objects.create(name="looks")
    dress, _, hat = categories(shop)
    edits = [edit(dress, hat, 0.9)]
    answer = preview(admin_client, shop, edits, profile="looks")
    assert "gives categories no weight (w_c = 0)" in answer.content.decode()
    assert "comparison" not in answer.context
    offered = preview(admin_client, shop, edits, profile="looks", offered=True)
    assert order(offered.context["comparison"])[1][0] == ("hat", "up 1")


def test_a_preview_for_nobody_or_without_an_edit_says_what_to_do(admin_client, shop):
    dress, _, hat = categories(shop)
    nobody = preview(admin_client, shop, [edit(dress, hat, 0.9)], name="\0nobody")
    assert "no shopper or product of that name" in nobody.content.decode()
    assert "Change a value first" in preview(admin_client, shop, []).content.decode()


def test_a_refused_save_names_the_cell_and_saves_nothing(admin_client, shop):
    dress, skirt, hat = categories(shop)
    answer = send(admin_client, "save", edits=[edit(dress, hat, 7), edit(dress, skirt, 0.4)])
    assert answer.status_code == 409
    a, b = sorted((dress.pk, hat.pk))
    assert answer.json()["refusals"] == [
        {
            "level": "categories",
            "a": a,
            "b": b,
            "reason": "a similarity lies between 0 and 1; got 7",
        }
    ]
    assert stored_values() == {}


@pytest.mark.parametrize(
    "body",
    [
        "[1]",
        "5",
        "{",
        '{"edits": 5}',
        '{"edits": [{"level": "groups", "a": 1, "b": 2, "similarity": "x", "seen": null}]}',
        '{"edits": [{"level": "shoes", "a": 1, "b": 2, "similarity": 1, "seen": null}]}',
        '{"edits": [{"level": "groups", "a": true, "b": 1e99, "similarity": 1, "seen": null}]}',
        '{"edits": [{"level": "groups", "a": 1, "b": 2, "similarity": NaN, "seen": null}]}',
    ],
)
def test_nonsense_is_a_bad_request(admin_client, body):
    answer = admin_client.post(f"{PAGE}save/", body, content_type="application/json")
    assert answer.status_code == 400


def test_an_earlier_state_and_a_file_come_back_as_edits_to_look_at(admin_client, shop):
    dress, _, hat = categories(shop)
    send(admin_client, "save", edits=[edit(dress, hat, 0.9)], reason="hats go with all")
    moment = admin_client.get(PAGE).context["saves"][0].at.isoformat()
    send(admin_client, "save", edits=[edit(dress, hat, 0.2, seen=0.9)])
    state = admin_client.get(f"{PAGE}state/", {"at": moment}).json()
    a, b = sorted((dress.pk, hat.pk))
    assert state["edits"] == [{"level": "categories", "a": a, "b": b, "similarity": 0.9}]
    file = admin_client.get(f"{PAGE}export/").content.replace(b",0.2", b",0.3")
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = admin_client.post(f"{PAGE}import/", {"file": SimpleUploadedFile("m.csv", file)})
    assert answer.json()["edits"] == [{"level": "categories", "a": a, "b": b, "similarity": 0.3}]
    bad = SimpleUploadedFile("m.csv", b"level,a,b,similarity\ngroups,x,y,1\n")
    answer = admin_client.post(f"{PAGE}import/", {"file": bad})
    assert answer.status_code == 400
    assert answer.json()["problems"] == ["line 2: there is no groups entry named 'x'"]
    assert admin_client.get(f"{PAGE}state/", {"at": "yesterday"}).status_code == 400


def test_an_analyst_looks_and_previews_and_saves_nothing(client, shop):
    client.force_login(staff("anna", groups=("analyst",)))
    dress, _, hat = categories(shop)
    edits = [edit(dress, hat, 0.9)]
    page = client.get(PAGE)
    assert page.status_code == 200
    assert b'id="save"' not in page.content
    assert preview(client, shop, edits).status_code == 200
    assert send(client, "save", edits=edits).status_code == 403
    assert client.post(f"{PAGE}import/").status_code == 403
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_the_page_costs_as_many_queries_for_any_number_of_categories(admin_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(PAGE).status_code == 200
        return len(captured)

    few = queries()
    made = [CategoryFactory(group=CategoryGroupFactory()) for _ in range(6)]
    for a, b in pairwise(made):
        GroupSimilarity.objects.create(a=a.group, b=b.group, similarity=0.3)
    assert queries() == few <= 12


def test_script_in_a_name_reaches_the_page_as_text(admin_client):
    CategoryGroup.objects.create(name="</script><script>alert(1)</script>")
    content = admin_client.get(PAGE).content.decode()
    assert "<script>alert(1)" not in content
