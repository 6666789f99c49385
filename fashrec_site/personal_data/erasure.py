"""Erase a shopper (GDPR, article 17): every row about them, their account, their name in logs."""

from functools import partial

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q

from embeddings.models import PhotoSearch
from embeddings.photo_search import private_files
from fashrec_site.personal_data.rows import rows_about
from shoppers.models import ProductPopularity, Purchase, Shopper
from shoppers.simulated_rows import lock_popularity


@transaction.atomic
def erase_shopper(*, shopper: Shopper, by: User) -> dict[str, int]:
    """Delete all that is kept of the shopper, and say in the admin's log that `by` did it.

    All or nothing: killed half-way, nothing is gone. Purchases of theirs no longer count into any
    popularity. An account of staff stays and loses the shopper.

    Returns:
        How many rows went, by what they are called.
    """
    Shopper.objects.select_for_update().get(pk=shopper.pk)  # nothing new of theirs gets in now
    bought = Purchase.objects.filter(shopper=shopper).values("product")
    lock_popularity(ProductPopularity.objects.filter(pk__in=bought))
    erased = {}
    for rows in rows_about(shopper):
        n_rows, _ = rows.delete()
        if n_rows:
            erased[str(rows.model._meta.verbose_name_plural)] = n_rows
    _forget_in_log(shopper)
    key, user = shopper.pk, shopper.user
    shopper.delete()
    if user is not None and not user.is_staff:
        _erase_account(user)
    _log(key, by, DELETION, f"Erased with {_told(erased)}.")
    return erased


def log_export(*, shopper: Shopper, by: User) -> None:
    """Keep in the admin's log who was given a shopper's data."""
    _log(shopper.pk, by, CHANGE, "Exported their data.")


def _forget_in_log(shopper: Shopper) -> None:
    """Take the shopper's name out of what the admin's log says of earlier edits.

    Rows of theirs are named "<external id> ..." there, whether they still exist or not.
    """
    of_shopper = ContentType.objects.get_for_model(Shopper)
    models = [rows.model for rows in rows_about(shopper)]
    types = [of_shopper, *ContentType.objects.get_for_models(*models).values()]
    named = Q(object_repr__startswith=f"{shopper.external_id} ", content_type__in=types)
    itself = Q(content_type=of_shopper, object_id=str(shopper.pk))
    LogEntry.objects.filter(named | itself).update(object_repr="erased", change_message="")


def _erase_account(user: User) -> None:
    """The login with its sessions, failed logins and photos searched with."""
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        model.objects.filter(username=user.get_username()).delete()
    searches = PhotoSearch.objects.filter(asker=f"user:{user.pk}")
    for photo in searches.values_list("photo", flat=True):
        transaction.on_commit(partial(private_files.delete, photo), robust=True)
    searches.delete()
    own = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    Session.objects.filter(pk__in=own).delete()
    user.delete()


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{n_rows:,} {name}" for name, n_rows in counts.items()) or "nothing else"


def _log(key: int, by: User, action: int, message: str) -> None:
    """By the shopper's number, as the name would be what was to be erased."""
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Shopper),
        object_id=str(key),
        object_repr=f"shopper {key}",
        action_flag=action,
        change_message=message,
    )
