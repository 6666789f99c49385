"""Logging in, one attempt per name at a time, and signing up."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from catalog.models import Gender
from shoppers.models import Shopper


class LockedOut(Exception):  # noqa: N818 - what happened
    """Too many wrong passwords; whether there is such a user is not said."""


@contextmanager
def one_at_a_time(username: str) -> Iterator[None]:
    """Hold back other attempts with this name, so that parallel ones cannot outrun the count.

    In a transaction: what is counted inside is visible to whoever comes next.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('login ' || %s, 0))",
                [username.casefold().replace("\0", "")],
            )
        yield


def check_password(request: HttpRequest, *, username: str, password: str) -> User | None:
    """The user whose password it is; None for a wrong one and for an unknown user alike.

    Raises:
        LockedOut: after five wrong ones from this address, for a while.
    """
    if len(username) > User._meta.get_field("username").max_length:
        return None  # nobody's name, and more than axes can note
    credentials = {"username": username.replace("\0", ""), "password": password}
    with one_at_a_time(username):
        is_locked_out = not AxesProxyHandler.is_allowed(request, credentials)
        user = None if is_locked_out else authenticate(request, **credentials)
    # Else axes' middleware, which is for the admin's form, replaces the whole answer.
    request.axes_locked_out = False
    if is_locked_out:
        raise LockedOut("Too many wrong passwords; try again in some minutes.")
    return user


@transaction.atomic
def sign_up(*, username: str, password: str, gender: Gender = Gender.UNISEX) -> Shopper:
    """A new user, and the shopper that is theirs.

    Raises:
        ValidationError: by field; the code "unique" where the name is taken.
    """
    user = User(username=username)
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        raise ValidationError(error.error_dict) from error
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": ValidationError(" ".join(error.messages))}) from error
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        taken = ValidationError("this name is taken", code="unique")
        raise ValidationError({"username": taken}) from error
    return Shopper.objects.create(external_id=f"user-{uuid.uuid4()}", user=user, gender=gender)


class OneAtATimeLoginForm(AuthenticationForm):
    """The admin's login, under the same rule."""

    def clean(self) -> dict[str, object]:
        """Check the password; what axes counts is kept also when it was wrong."""
        errors = None
        with one_at_a_time(str(self.cleaned_data.get("username") or "")):
            try:
                cleaned = super().clean()
            except ValidationError as error:
                errors = error
        if errors is not None:
            raise errors
        return cleaned
