"""What a curator says of some products: pin, boost or bury them, where and how long."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from catalog.models import Category, Product
from recommender.merchandising import services
from recommender.merchandising.models import MAX_BOOST, MAX_POSITION, MerchandisingRule

MAX_PRODUCTS = 200
FELT_BOOST = 0.2  # as much as a fifth of a relevance whose weights add up to 1
LOCAL = "%Y-%m-%dT%H:%M"  # what a browser's field for a moment sends
Kind = MerchandisingRule.Kind
KINDS = (
    (Kind.BOOST, "Boost: recommend them more"),
    (Kind.BURY, "Bury: recommend them less"),
    (Kind.PIN, "Pin: give one product a place"),
)


def _moment(label: str, help_text: str) -> forms.DateTimeField:
    return forms.DateTimeField(
        label=f"{label} ({settings.TIME_ZONE})",
        required=False,
        help_text=help_text,
        input_formats=[LOCAL, f"{LOCAL}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=LOCAL),
    )


class RuleForm(forms.Form):
    """One decision about one or many products; `save` and the preview do the same."""

    products = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}), help_text="item ids, one a line"
    )
    kind = forms.ChoiceField(choices=KINDS, label="What to do")
    amount = forms.FloatField(
        label="By how much",
        required=False,
        initial=FELT_BOOST,
        min_value=0.01,
        max_value=MAX_BOOST,
        help_text="added to (or taken from) the relevance: 0.05 nudges, 0.2 is felt, 1 beats "
        "nearly everything",
    )
    position = forms.IntegerField(
        label="Place",
        required=False,
        initial=1,
        min_value=1,
        max_value=MAX_POSITION,
        help_text="from 1, the first; where a list is shorter, it comes last",
    )
    category = forms.ModelChoiceField(
        Category.objects.order_by("name"),
        label="Where",
        required=False,
        empty_label="Everywhere",
        help_text="a category: in its lists, and beside products of it",
    )
    starts_at = _moment("From", "empty: from now on")
    ends_at = _moment("Until", "empty: until somebody ends it")
    note = forms.CharField(
        label="Why", required=False, max_length=200, help_text="for your colleagues"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, slider in (("amount", "0.05 1 0.05"), ("position", "1 12 1")):
            self.fields[name].widget.attrs |= {"data-slider": slider, "step": "any"}

    def clean_products(self) -> list[Product]:
        """The products that the item ids name, in the order given."""
        item_ids = list(dict.fromkeys(self.cleaned_data["products"].split("\n")))
        item_ids = [item_id.strip() for item_id in item_ids if item_id.strip()]
        if len(item_ids) > MAX_PRODUCTS:
            raise ValidationError(f"at most {MAX_PRODUCTS} at a time; these are {len(item_ids)}")
        keys = Product.objects.filter(item_id__in=item_ids).keys_by_item_id()
        unknown = [item_id for item_id in item_ids if item_id not in keys]
        if unknown:
            raise ValidationError(f"no product is called {', '.join(unknown[:5])}")
        products = Product.objects.in_bulk(keys.values())
        return [products[key] for key in dict.fromkeys(keys[name] for name in item_ids)]

    def clean(self) -> dict[str, Any]:
        """Refuse what the kind does not go with."""
        given = super().clean()
        needed = "position" if given.get("kind") == Kind.PIN else "amount"
        if given.get(needed) is None and needed not in self.errors:
            self.add_error(needed, "This is needed.")
        if given.get("kind") == Kind.PIN and len(given.get("products", ())) > 1:
            self.add_error("products", "A place is for one product: pin one at a time.")
        return given

    def save(self, **dates: Any) -> list[MerchandisingRule]:
        """Make the rules, in place of those that cannot hold beside them.

        Args:
            dates: in place of the given ones, as a preview of a rule for next week is of now.

        Raises:
            MerchandisingError: dates that make no sense, or too many rules.
        """
        given = self.cleaned_data
        shared = {name: given[name] for name in ("category", "starts_at", "ends_at", "note")}
        shared |= dates
        if given["kind"] == Kind.PIN:
            (product,) = given["products"]
            return [services.pin(product=product, position=given["position"], **shared)]
        change = services.bury if given["kind"] == Kind.BURY else services.boost
        return change(products=given["products"], amount=given["amount"], **shared)
