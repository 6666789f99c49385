"""What the workplace's templates need."""

from django import template

from catalog.models import Product, ProductImage

register = template.Library()


@register.filter
def primary_photo(product: Product) -> ProductImage | None:
    """The photo that a product is compared by, of those that came with it."""
    return next(iter(product.images.all()), None)
