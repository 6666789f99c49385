"""Lists of the admin that are there at once, however many rows they have."""

from django.contrib.admin.utils import get_fields_from_path
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.views import ChangeList


class KeysFirstPaginator(Paginator):
    """Finds the keys of a page's rows, and then the rows.

    An offset walks over all rows before it, and Django would join each of them with whatever the
    list shows. The keys are read from the nearer end: the last page costs what the first one does,
    and one in the middle walks over keys alone.
    """

    def page(self, number: int | str) -> Page:
        """The page's rows as a queryset in the list's own order."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = self._keys(start, min(start + self.per_page, self.count))
        return self._get_page(self.object_list.filter(pk__in=keys), number, self)

    def _keys(self, start: int, stop: int) -> list[object]:
        rows: QuerySet = self.object_list.values_list("pk", flat=True)
        if start > self.count / 2:
            return list(rows.reverse()[self.count - stop : self.count - start])
        return list(rows[start:stop])


class WholeChangeList(ChangeList):
    """Offers the way back to all rows only where some are left out."""

    def get_results(self, request: HttpRequest) -> None:
        """Count the rows, once."""
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


class ListAdmin(ModelAdmin):
    """A page holds what an eye takes in: a row costs a millisecond or two of template."""

    list_per_page = 25
    list_max_show_all = 100
    show_full_result_count = False
    paginator = KeysFirstPaginator

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        """The list of a page."""
        return WholeChangeList


class FoundByNameAdmin(ListAdmin):
    """Rows of a long table, found by what exactly they, or whom they belong to, are called.

    A search field such as `=shopper__external_id` is looked up where the names are, then the rows
    by the keys that were found: each step has its index. Django would join every row with all that
    it belongs to before it compares. Fields without `=` are the table's own, searched for parts.
    """

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The rows, of which none comes twice; one query for each owner's names."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q()
        for lookup in self.get_search_fields(request):
            found |= self._condition(lookup, term)
        return queryset.filter(found), False

    def _condition(self, lookup: str, term: str) -> Q:
        if not lookup.startswith("="):
            return Q(**{f"{lookup}__icontains": term})
        owner, _, name = lookup[1:].rpartition("__")
        if not owner:
            return Q(**{name: term})
        model = get_fields_from_path(self.model, owner)[-1].related_model
        keys = model._default_manager.filter(**{name: term}).values_list("pk", flat=True)
        return Q(**{f"{owner}__in": list(keys)})
