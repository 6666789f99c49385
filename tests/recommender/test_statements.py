"""One answer reads in few statements, however much somebody bought."""

import pytest
from django.contrib.auth.models import User

from tests.recommender.worlds import make_world

pytestmark = pytest.mark.django_db
RECOMMENDATIONS = """{ recommendations(shopper: "ann", k: 5) {
    id tier profile { name backbone }
    rails(first: 20) { proven because { kind product { itemId primaryImage { url } } }
        items(first: 5) { edges { relevance terms { visual } distanceKm store { name }
            node { itemId primaryImage { url } category { name } } } } }
    items(first: 100) { edges { node { itemId images { url } category { name } } } } } }"""


@pytest.mark.parametrize("n_purchases", [1, 20])
def test_at_most_eight_statements(client, ask, django_assert_max_num_queries, n_purchases):
    world = make_world()
    for n in range(30):
        world.add(f"item {n}", (1, n, 0), popularity=n)
    shopper = world.shopper(*(f"item {n}" for n in range(n_purchases)))
    shopper.user = User.objects.create_user("ann")
    shopper.save()
    client.force_login(shopper.user)
    assert "errors" not in ask(RECOMMENDATIONS)  # makes the default profile

    with django_assert_max_num_queries(8):
        answer = ask(RECOMMENDATIONS)

    rails = answer["data"]["recommendations"]["rails"]
    assert [len(rail["items"]["edges"]) for rail in rails] == [5] * n_purchases
    assert all(edge["node"]["primaryImage"] for rail in rails for edge in rail["items"]["edges"])
