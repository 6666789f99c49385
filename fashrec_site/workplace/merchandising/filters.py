"""What the list of rules can be narrowed by."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter


class WhenFilter(DropdownFilter):
    """Whether a rule holds now, will hold, or did."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """The times."""
        return [("now", "holds now"), ("later", "begins later"), ("over", "is over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rules of that time."""
        now = timezone.now()
        if self.value() == "now":
            return queryset.holding(now)
        if self.value() == "later":
            return queryset.filter(starts_at__gt=now)
        return queryset.filter(ends_at__lte=now) if self.value() == "over" else queryset


class KindFilter(DropdownFilter):
    """What a rule does."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """The kinds."""
        return [("pins", "pin"), ("boosts", "boost"), ("buries", "bury")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The rules of that kind."""
        known = {value for value, _ in self.lookup_choices}
        return getattr(queryset, self.value())() if self.value() in known else queryset
