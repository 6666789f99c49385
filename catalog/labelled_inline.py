"""Rows of a table in a form, whose inputs say what they are to screen readers, too."""

from typing import Any

from django.db.models import Field
from django.forms import Field as FormField
from django.http import HttpRequest
from unfold.admin import TabularInline


class LabelledInline(TabularInline):
    """A tabular inline: only its header names the columns, which no input refers to."""

    def formfield_for_dbfield(
        self, db_field: Field, request: HttpRequest, **kwargs: Any
    ) -> FormField | None:
        """The field, with its name on the input."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", str(db_field.verbose_name))
        return field
