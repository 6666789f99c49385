"""Amounts as people read them, in the shop's one currency."""

from decimal import Decimal

from django.conf import settings


def money(amount: Decimal | str | float) -> str:
    """Such as "EUR 1,234.50": the code says which of the many dollars, and needs no locale."""
    return f"{settings.FASHREC_CURRENCY} {Decimal(amount):,.2f}"
