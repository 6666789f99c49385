"""Every row that refers to a shopper, found by the models' own references.

So a table that an app adds tomorrow is exported and erased without a word here.
"""

from collections.abc import Iterator

from django.db.models import Model, Q, QuerySet

from shoppers.models import AnonymousSession, Shopper


def rows_about(shopper: Shopper) -> Iterator[QuerySet]:
    """One queryset per model: its rows of the shopper, or of a session merged into them.

    The sessions come last, so that deleting in this order never meets a reference.
    """
    of_shopper = _references(Shopper)
    of_session = _references(AnonymousSession)
    for model in sorted(of_shopper | of_session, key=lambda m: (m is AnonymousSession, str(m))):
        condition = Q()
        for name in of_shopper.get(model, ()):
            condition |= Q(**{name: shopper})
        for name in of_session.get(model, ()):
            condition |= Q(**{f"{name}__shopper": shopper})
        yield model._base_manager.filter(condition)


def _references(model: type[Model]) -> dict[type[Model], list[str]]:
    """The models with a foreign key to `model` and their fields' names, hidden ones too."""
    found: dict[type[Model], list[str]] = {}
    for field in model._meta.get_fields(include_hidden=True):
        if field.auto_created and not field.concrete and (field.one_to_many or field.one_to_one):
            found.setdefault(field.related_model, []).append(field.field.name)
    return found
