"""Who may look at the schema itself: in production staff and keys, elsewhere everybody."""

import re
from collections.abc import Callable, Iterator
from functools import wraps

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from graphql import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension

from shoppers.callers import caller_of

View = Callable[..., HttpResponseBase]


def may_see_schema(request: HttpRequest | None) -> bool:
    """Whether introspection and GraphiQL answer."""
    if settings.FASHREC_PUBLIC_SCHEMA:
        return True
    if request is None:
        return False
    return caller_of(request).is_staff or hasattr(request, "api_key")


def ide_for_insiders(view: View, *, without_ide: View) -> View:
    """`view`, which shows GraphiQL to browsers, or for strangers the one that does not."""

    @wraps(view)
    def choose(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        shows_ide = request.method == "GET" and may_see_schema(request)
        return (view if shows_ide else without_ide)(request, *args, **kwargs)

    return choose


class IntrospectionForInsiders(SchemaExtension):
    """Schema extension that refuses `__schema` and `__type` to strangers."""

    def on_operation(self) -> Iterator[None]:
        """Add the rule before the document is validated."""
        request = getattr(self.execution_context.context, "request", None)
        # Every client asks for __typename: who asks is looked up only for the other two.
        asks_for_schema = re.search(r"__(schema|type)\b", self.execution_context.query or "")
        if asks_for_schema and not may_see_schema(request):
            rules = self.execution_context.validation_rules
            self.execution_context.validation_rules = (*rules, NoSchemaIntrospectionCustomRule)
        yield
