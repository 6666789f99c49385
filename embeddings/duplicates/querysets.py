"""Questions about pairs of products that may be one."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Q


class DuplicatePairQuerySet(models.QuerySet):
    """Pairs of products."""

    def to_decide(self) -> Self:
        """Undecided, with both products on sale; the most alike first."""
        on_sale = self.filter(decision="open", a__is_active=True, b__is_active=True)
        return on_sale.order_by("-likeness", "id")

    def decided(self) -> Self:
        """Decided, the latest first."""
        return self.exclude(decision="open").order_by("-decided_at", "-id")

    def of(self, product_ids: Iterable[int]) -> Self:
        """Pairs with any of these products."""
        ids = list(product_ids)
        return self.filter(Q(a__in=ids) | Q(b__in=ids))
