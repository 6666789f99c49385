"""What the workplace's templates need."""

from django import template

from catalog.models import Product, ProductImage
from fashrec_site.workplace.merchandising.wording import state_of, what_it_does

register = template.Library()
register.filter("what_it_does", what_it_does)
register.filter("state_of", state_of)


@register.filter
def primary_photo(product: Product) -> ProductImage | None:
    """The photo that a product is compared by, of those that came with it."""
    return next(iter(product.images.all()), None)
