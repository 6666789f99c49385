"""Models whose earlier versions the admin shows, and brings back for who may change them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin

from catalog.list_admin import ListAdmin


class HistoryAdmin(SimpleHistoryAdmin, ListAdmin):
    """simple-history's admin, without its gap.

    Its form of an earlier version asks for the view permission only, also when it is sent: then
    who may only look could bring that version back (3.13).
    """

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """An earlier version; sending it back needs the change permission."""
        if request.method != "GET" and not self.has_change_permission(request):
            raise PermissionDenied
        return super().history_form_view(request, object_id, version_id, extra_context)
