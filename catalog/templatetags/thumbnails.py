"""`{% load thumbnails %}{% thumbnail_url image 320 %}`: a photo's small copy, for templates."""

from django import template

from catalog import thumbnails
from catalog.models import ProductImage

register = template.Library()


@register.simple_tag
def thumbnail_url(image: ProductImage | None, width: int) -> str:
    """The address of the photo's copy of that width (160, 320 or 640 pixels); empty without one."""
    if image is None or not image.image:
        return ""
    return thumbnails.thumbnail_url(image.image, width)
