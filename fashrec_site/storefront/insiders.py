"""Who may look behind the shop: at other shoppers, and at the evaluation."""

from django.conf import settings
from django.http import HttpRequest


def may_see_shoppers(request: HttpRequest) -> bool:
    """Whether shoppers' data may be shown to whoever asks: staff, and everybody in the demo."""
    return settings.FASHREC_DEMO or (request.user.is_active and request.user.is_staff)
