"""Logging in: few wrong passwords, one at a time, and no hint who has an account."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from shoppers.models import Shopper
from tests.factories import ShopperFactory

LOGIN = """mutation ($username: String!, $password: String!) {
    login(username: $username, password: $password) { ...Answer } }
fragment Answer on LoginPayload {
    ... on LoggedIn { account { externalId } }
    ... on OperationInfo { messages { message code } } }"""
SIGNUP = """mutation ($username: String!, $password: String!) {
    signup(username: $username, password: $password) {
        ... on LoggedIn { account { username } }
        ... on OperationInfo { messages { field message code } } } }"""
WRONG_PASSWORD = "wrong"
WRONG = {"message": "Wrong user name or password.", "code": "UNAUTHENTICATED"}
LOCKED = {"message": "Too many wrong passwords; try again in some minutes.", "code": "RATE_LIMITED"}


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def checked(monkeypatch):
    """Names whose passwords were really compared."""
    names = []

    def noting(request, **credentials):
        user = authenticate(request, **credentials)
        names.append(credentials["username"])
        return user

    monkeypatch.setattr("fashrec_site.access.login.authenticate", noting)
    return names


def make_ann():
    user = User.objects.create_user("ann", password="correct horse")
    return ShopperFactory(external_id="ann", user=user)


def ask(client, query, username="ann", password=WRONG_PASSWORD):
    variables = {"username": username, "password": password}
    body = {"query": query, "variables": variables}
    response = client.post("/graphql/", body, content_type="application/json")
    (answer,) = response.json()["data"].values()
    return answer.get("messages", [answer])[0]


@pytest.mark.django_db
def test_a_shopper_logs_in_and_out(client):
    make_ann()
    assert ask(client, LOGIN, password="correct horse") == {"account": {"externalId": "ann"}}
    me = "{ me { externalId username gender trendiness } }"
    query = {"query": me}
    answer = client.post("/graphql/", query, content_type="application/json").json()
    assert answer["data"]["me"]["username"] == "ann"
    out = {"query": "mutation { logout { ... on LoggedOut { wasLoggedIn } } }"}
    for expected in (True, False):
        answer = client.post("/graphql/", out, content_type="application/json").json()
        assert answer["data"]["logout"] == {"wasLoggedIn": expected}
    answer = client.post("/graphql/", query, content_type="application/json").json()
    assert answer["data"] == {"me": None}


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["ann", "nobody"])
def test_after_five_wrong_passwords_nothing_is_checked_and_nobody_learns_who_exists(
    client, checked, username
):
    make_ann()
    answers = [ask(client, LOGIN, username) for _ in range(8)]
    assert answers == [WRONG] * 5 + [LOCKED] * 3
    assert len(checked) == 5
    assert ask(client, LOGIN, username, "correct horse") == LOCKED
    other_place = Client(REMOTE_ADDR="198.51.100.7")
    assert ask(other_place, LOGIN, "ann", "correct horse") == {"account": {"externalId": "ann"}}


@pytest.mark.django_db
def test_a_name_too_long_for_anybody_is_as_wrong_as_any(client, checked):
    assert ask(client, LOGIN, username="x" * 256) == WRONG
    assert checked == []


@pytest.mark.django_db
def test_a_right_password_forgets_the_wrong_ones(client):
    make_ann()
    for _ in range(2):
        assert [ask(client, LOGIN) for _ in range(4)] == [WRONG] * 4
        assert "account" in ask(client, LOGIN, password="correct horse")


@pytest.mark.django_db(transaction=True)
def test_of_fifty_parallel_logins_at_most_five_are_checked(checked):
    make_ann()

    def attempt(_):
        try:
            return ask(Client(), LOGIN)
        finally:
            connection.close()

    with ThreadPoolExecutor(25) as attackers:
        answers = list(attackers.map(attempt, range(50), timeout=120))
    assert len(checked) == 5
    assert (
        sorted(answer["code"] for answer in answers)
        == ["RATE_LIMITED"] * 45 + ["UNAUTHENTICATED"] * 5
    )


@pytest.mark.django_db
def test_a_hundred_aliases_check_at_most_five_passwords(client, checked):
    make_ann()
    one = '%s: login(username: "ann", password: "%d") { __typename }'
    for n_aliases in (100, 15):
        aliases = " ".join(one % (f"a{n}", n) for n in range(n_aliases))
        body = {"query": f"mutation {{ {aliases} }}"}
        response = client.post("/graphql/", body, content_type="application/json")
        assert response.status_code == 200
    assert len(checked) <= 5


@pytest.mark.django_db
def test_the_admins_login_is_locked_as_well(client):
    User.objects.create_superuser("root", password="correct horse")
    page = "/admin/login/"
    for _ in range(5):
        response = client.post(page, {"username": "root", "password": "wrong"})
    assert response.status_code == 429
    response = client.post(page, {"username": "root", "password": "correct horse"})
    assert response.status_code == 429
    assert "sessionid" not in client.cookies
    AccessAttempt.objects.all().delete()
    response = client.post(page, {"username": "root", "password": "correct horse"})
    assert response.status_code == 302


@pytest.mark.django_db
def test_signing_up_makes_a_user_a_shopper_and_a_session(client):
    answer = ask(client, SIGNUP, "cleo", "correct horse battery")
    assert answer == {"account": {"username": "cleo"}}
    shopper = Shopper.objects.get(user__username="cleo")
    assert client.session["_auth_user_id"] == str(shopper.user_id)
    assert shopper.user.has_usable_password()
    assert not shopper.user.is_staff


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("username", "password", "field", "code"),
    [
        ("ann", "correct horse battery", "username", "CONFLICT"),
        ("cleo", "12345678", "password", "BAD_USER_INPUT"),
        ("cleopatra", "cleopatra", "password", "BAD_USER_INPUT"),
        ("", "correct horse battery", "username", "BAD_USER_INPUT"),
        ("<script>", "correct horse battery", "username", "BAD_USER_INPUT"),
        ("x" * 151, "correct horse battery", "username", "BAD_USER_INPUT"),
    ],
)
def test_a_bad_signup_is_told_what_to_mend(client, username, password, field, code):
    make_ann()
    answer = ask(client, SIGNUP, username, password)
    assert (answer["field"], answer["code"]) == (field, code)
    assert Shopper.objects.count() == 1
