"""API keys and webhooks in the admin, and its login under the lockout."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from catalog.list_admin import ListAdmin
from fashrec_site.access.keys import give_secret
from fashrec_site.access.login import OneAtATimeLoginForm
from fashrec_site.models import ApiKey, WebhookDelivery, WebhookEndpoint, WebhookKind
from fashrec_site.webhooks.services import send_again, send_ping
from fashrec_site.workplace import people  # noqa: F401 - registers
from fashrec_site.workplace.attributes import admin as attributes_admin  # noqa: F401 - registers
from fashrec_site.workplace.merchandising import admin as merchandising  # noqa: F401 - registers
from fashrec_site.workplace.products import admin as products_admin  # noqa: F401 - registers
from fashrec_site.workplace.products import jobs as product_jobs  # noqa: F401 - registers
from fashrec_site.workplace.reports import admin as reports  # noqa: F401 - registers
from fashrec_site.workplace.shoppers import admin as shopper_pages  # noqa: F401 - registers
from fashrec_site.workplace.stores import admin as stores  # noqa: F401 - registers
from shoppers.callers import Scope

admin.site.login_form = OneAtATimeLoginForm


class ApiKeyForm(forms.ModelForm):
    """A key's settings."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ListAdmin):
    """Keys of storefront servers: shown once when they are made, revoked and never deleted."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "=prefix")
    fields = ("name", "scopes", "rate_limit", "expires_at", "prefix", "created_by", "created_at")
    fields += ("last_used_at", "revoked_at")
    readonly_fields = ("prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool
    ) -> None:
        """Make the secret with the row; it lives in the response and nowhere else."""
        if not change:
            obj.created_by = request.user
            request.new_api_key = give_secret(obj)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key, this once: a message would leave it in a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"API key of {obj.name}",
            "key": request.new_api_key,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/fashrec_site/apikey/created.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A revoked key stays, so that a log's prefix still tells whose it was."""
        return False

    @admin.action(description="Revoke the chosen keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Close them at once and for good."""
        n_keys = queryset.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        self.message_user(request, f"Revoked {n_keys} keys.", messages.SUCCESS)


class WebhookEndpointForm(forms.ModelForm):
    """An endpoint's settings."""

    url = forms.URLField(max_length=500, assume_scheme="https", widget=UnfoldAdminURLInputWidget)
    kinds = forms.MultipleChoiceField(
        choices=[choice for choice in WebhookKind.choices if choice[0] != WebhookKind.PING],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ListAdmin):
    """Addresses that are told what happened."""

    form = WebhookEndpointForm
    list_display = ("name", "url", "kinds", "is_active", "created_at")
    fields = ("name", "url", "kinds", "is_active", "secret", "created_at")
    readonly_fields = ("secret", "created_at")
    actions = ("ping",)

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        """The secret is for those who may change the endpoint."""
        if obj is not None and self.has_change_permission(request, obj):
            return self.fields
        return [field for field in self.fields if field != "secret"]

    @admin.action(description="Send a test to the chosen endpoints", permissions=["change"])
    def ping(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Queue a ping for each."""
        for endpoint in queryset:
            send_ping(endpoint, now=timezone.now())
        self.message_user(request, "Queued; a worker sends them within seconds.")


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ListAdmin):
    """What was sent where, and what came of it."""

    list_display = ("created_at", "kind", "endpoint", "state", "attempts", "answer_status", "error")
    list_filter = ("state", "kind", "endpoint")
    list_select_related = ("endpoint",)
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The database adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody edits what was said; sending it again is an action."""
        return False

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Those who may change endpoints may send again."""
        return request.user.has_perm("fashrec_site.change_webhookendpoint")

    @admin.action(description="Send the chosen deliveries again", permissions=["resend"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        """Start over, at once."""
        n_deliveries = send_again(list(queryset.values_list("pk", flat=True)), now=timezone.now())
        self.message_user(request, f"{n_deliveries} deliveries are sent again within seconds.")
