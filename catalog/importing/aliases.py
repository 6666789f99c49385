"""Item ids of products that were merged into others: an import never brings them back."""

from collections.abc import Sequence
from dataclasses import replace

from catalog.importing.items import Item
from catalog.importing.report import ImportReport
from catalog.models import Product


def follow_merges(items: Sequence[Item], report: ImportReport) -> list[Item]:
    """The items as the catalogue knows them today. One query.

    What the source says of a merged product is said of the one that it was merged into, but for the
    photos, among which a curator has chosen. Where the source describes that one as well, only its
    own description counts, and the merged product's is left out and counted in `report`.
    """
    rows = Product.objects.filter(item_id__in=[item.item_id for item in items])
    merged = rows.filter(merged_into__isnull=False).order_by()
    names = dict(merged.values_list("item_id", "merged_into__item_id"))
    taken = {item.item_id for item in items}
    followed = []
    for item in items:
        name = names.get(item.item_id)
        if name is None:
            followed.append(item)
        elif name in taken:
            report.n_products_merged += 1
        else:
            taken.add(name)
            followed.append(replace(item, item_id=name, photos={}))
    return followed
