"""API keys: made once, looked up by their prefix, compared by their hash."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from fashrec_site.models import ApiKey

LABEL = "fr_"  # so that secret scanners recognise a key
USE_NOTED_EVERY = timedelta(minutes=1)  # a row written per request would cost more than the request


def issue_key(
    *,
    name: str,
    scopes: Sequence[str] = (),
    rate_limit: str = "",
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> tuple[ApiKey, str]:
    """A new key's row, and the key itself, which is nowhere else.

    Raises:
        ValidationError: a field is bad, such as a name that another key has.
    """
    row = ApiKey(
        name=name,
        scopes=sorted(set(scopes)),
        rate_limit=rate_limit,
        expires_at=expires_at,
        created_by=created_by,
    )
    key = give_secret(row)
    row.full_clean()
    row.save(force_insert=True)
    return row, key


def give_secret(row: ApiKey) -> str:
    """Put a new prefix and hash into an unsaved row; the key that they are of."""
    row.prefix = secrets.token_hex(4)
    key = f"{LABEL}{row.prefix}_{secrets.token_urlsafe(32)}"
    row.key_sha256 = _hashed(key)
    return key


def find_key(key: str, *, now: datetime) -> ApiKey | None:
    """The valid row of a key; None for any other string. One query."""
    prefix = key.removeprefix(LABEL).partition("_")[0]
    if not key.startswith(LABEL) or not prefix.isalnum() or len(prefix) > 16:
        return None
    row = ApiKey.objects.valid_at(now).filter(prefix=prefix).first()
    return row if row and constant_time_compare(row.key_sha256, _hashed(key)) else None


def note_use(row: ApiKey, *, now: datetime) -> None:
    """Remember when the key was last used, to the minute."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
    if row.last_used_at is None or row.last_used_at < now - USE_NOTED_EVERY:
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now)


def _hashed(key: str) -> str:
    """SHA-256 will do: a key has 256 random bits, which no dictionary holds."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
