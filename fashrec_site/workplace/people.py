"""Users, roles and failed logins, in the theme's clothes."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from catalog.list_admin import ListAdmin

for model in (User, Group, AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ListAdmin):
    """Who may log in, and which role they have."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "roles", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")

    def get_queryset(self, request: HttpRequest) -> object:
        """Users with their roles in one query more."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        """The groups' names."""
        return ", ".join(group.name for group in user.groups.all()) or "-"


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ListAdmin):
    """Roles; the shipped ones are set right again by each `migrate`."""


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ListAdmin):
    """Wrong passwords that still count; deleting one lets its user try again at once."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    search_fields = ("username", "ip_address")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a login makes one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Nobody rewrites what happened."""
        return False
