"""What a bulk change does to some products, whether there are three of them or a chunk."""

from collections.abc import Sequence

from django.utils import timezone

from catalog.models import Category, Product
from catalog.querysets import ProductQuerySet
from embeddings.retries import embed_products_again
from fashrec_site.product_jobs.models import ProductJob


class CategoryGoneError(Exception):
    """The category that products were to move to was deleted."""


def change_products(
    *, kind: str, product_ids: Sequence[int], category: Category | None = None
) -> int:
    """Change the products; how many were not so before (of EMBED: how many photos).

    Doing it again changes nothing more, except that photos are embedded once more.

    Raises:
        CategoryGoneError: a move without a category.
    """
    if kind == ProductJob.Kind.EMBED:
        return embed_products_again(product_ids)
    chosen = Product.objects.filter(pk__in=product_ids)
    if kind == ProductJob.Kind.MOVE:
        if category is None:
            raise CategoryGoneError("the category was deleted")
        return chosen.exclude(category=category).update(
            category=category, updated_at=timezone.now()
        )
    if kind == ProductJob.Kind.ACTIVATE:  # what was merged into another product stays off sale
        return _set_active(chosen.unmerged(), is_active=True)
    return _set_active(chosen, is_active=False)


def _set_active(products: ProductQuerySet, *, is_active: bool) -> int:
    others = products.exclude(is_active=is_active)
    return others.update(is_active=is_active, updated_at=timezone.now())
