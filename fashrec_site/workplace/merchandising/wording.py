"""Rules in a few words."""

from django.utils import timezone

from recommender.merchandising.models import MerchandisingRule


def what_it_does(rule: MerchandisingRule) -> str:
    """Such as "pin to place 3" or "boost by 0.20"."""
    if rule.kind == MerchandisingRule.Kind.PIN:
        return f"pin to place {rule.position}"
    return f"{rule.kind} by {rule.amount:.2f}"


def state_of(rule: MerchandisingRule) -> str:
    """Whether it holds."""
    now = timezone.now()
    if rule.holds(now):
        return "holds"
    return "begins later" if rule.starts_at > now else "over"
