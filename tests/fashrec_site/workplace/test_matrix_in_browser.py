"""A curator's way through the matrix: edit a cell, be refused, preview, save, bring back."""

import pytest
from django.utils import timezone

from catalog.models import Category, CategoryGroup, CategoryPair
from catalog.similarity.values import Level, stored_values
from recommender.models import RankingProfile
from tests.fashrec_site.workplace.test_matrix import shop  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = "\N{MULTIPLICATION SIGN}"


def type_into_active_cell(page, text):
    page.focus("#matrix")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_cell_is_edited_refused_previewed_saved_and_brought_back(desk, shop):  # noqa: F811
    RankingProfile.objects.create(name="looks", is_default=True)
    desk.open("/admin/similarity/")
    page = desk.page
    page.keyboard.press("Tab")
    page.focus("#matrix")
    page.keyboard.press("ArrowRight")
    type_into_active_cell(page, "1.3")
    assert page.inner_text(".matrix-refusal") == "A similarity lies between 0 and 1; got 1.3"
    page.keyboard.press("Escape")
    type_into_active_cell(page, ".9")
    names = [group.name for group in CategoryGroup.objects.all()]
    assert page.inner_text("#changes span") == f"{names[0]} {TIMES} {names[1]}"
    for row, column in ((0, 1), (1, 0)):  # symmetric
        assert page.inner_text(f"#cell-{row}-{column}") == ".9"
    page.fill("#preview-name", "ann")
    page.click("#preview-form button")
    page.click("[data-offered]")
    page.wait_for_selector(".comparison")
    assert stored_values() == {}
    desk.check()
    page.click("#save")
    page.wait_for_selector(".save time")
    (pair, value), *others = stored_values().items()
    assert (pair[0], value, others) == (Level.GROUPS, 0.9, [])
    page.focus("#matrix")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    page.click("#save")
    page.wait_for_function("document.querySelectorAll('.save').length === 2")
    assert stored_values() == {}
    page.locator(".save summary").last.click()
    page.locator("[data-at]").last.click()
    page.wait_for_selector("#changes li")
    page.click("#save")
    page.wait_for_function("document.querySelectorAll('.save').length === 3")
    assert stored_values() == {pair: 0.9}
    desk.check()


def test_300_categories_stay_few_elements_and_show_what_the_database_says(desk):
    groups = CategoryGroup.objects.bulk_create(CategoryGroup(name=f"G {i:02}") for i in range(60))
    Category.objects.bulk_create(
        Category(name=f"Category number {i:03}", group=groups[i % 60]) for i in range(300)
    )
    RankingProfile.objects.create(name="<img src=x onerror=alert(1)>")
    CategoryGroup.objects.create(name="</script><script>alert(1)</script>")
    for window in ("desk", "telephone"):
        desk.open("/admin/similarity/", window)
        desk.page.click("[data-view=all]")
        assert desk.page.locator("#matrix input").count() == 0
        assert 20 < desk.page.locator("#matrix [role=gridcell]").count() < 1_500
        desk.page.focus("#matrix")
        for _ in range(12):
            desk.page.keyboard.press("PageDown")
        desk.page.keyboard.press("End")
        assert desk.page.locator("#matrix .active").is_visible()
        assert "Category number" in desk.page.inner_text("#cell-bar b")
        desk.page.fill("#matrix-search", "number 007")
        assert desk.page.locator("#matrix [role=rowheader]").all_inner_texts() == [
            "Category number 007"
        ]
        desk.check()
    _compare_with_the_view(desk.page)


def _compare_with_the_view(page):
    """The grid shows what `CategoryPair` defines, in the row that is left."""
    page.set_viewport_size({"width": 1440, "height": 900})
    cells = "document.querySelectorAll('#matrix [role=gridcell]').length"
    page.wait_for_function(f"{cells} > 10")  # it is drawn anew after the window has grown
    shown = dict(
        page.eval_on_selector_all(
            "#matrix [role=gridcell]", "cells => cells.map(c => [c.title.split(': ')[0], c.title])"
        )
    )
    category = Category.objects.get(name="Category number 007")
    pairs = CategoryPair.objects.filter(a=category.pk).select_related("b")
    known = {f"{category} {TIMES} {pair.b}": pair.similarity for pair in pairs}
    assert len(shown) > 10
    for pair, title in shown.items():
        assert float(title.split(": ")[1].split(",")[0]) == known[pair]


def test_a_cell_that_somebody_else_changed_says_so_where_it_is(desk, shop):  # noqa: F811
    from catalog.similarity.edits import Edit, save_edits

    desk.open("/admin/similarity/")
    a, b, _ = CategoryGroup.objects.all()
    edit = Edit(Level.GROUPS, a.pk, b.pk, 0.4, None)
    save_edits(edits=[edit], user=None, reason="", now=timezone.now())
    desk.page.focus("#matrix")
    desk.page.keyboard.press("ArrowRight")
    type_into_active_cell(desk.page, "0.7")
    desk.page.click("#save")
    desk.page.wait_for_selector("#changes .why")
    assert "changed it to 0.4 meanwhile" in desk.page.inner_text("#changes .why")
    assert desk.page.locator("#cell-0-1.refused").count() == 1
    assert list(stored_values().values()) == [0.4]
    assert [c for c in desk.complaints if "409" not in c] == []
