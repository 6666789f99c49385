"""The catalogue as curators see it."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RelatedDropdownFilter

from catalog.importing.photos import (
    MAP_FORMATS,
    MAX_FILE_BYTES,
    PHOTO_FORMATS,
    UnreadableImageError,
    check_image,
)
from catalog.labelled_inline import LabelledInline
from catalog.list_admin import ListAdmin
from catalog.models import (
    Category,
    CategoryGroup,
    CategoryPair,
    CategorySimilarity,
    GroupSimilarity,
    Product,
    ProductImage,
    Stock,
    Store,
)
from catalog.stored_files import delete_after_commit
from catalog.thumbnails import thumbnail_url


def thumbnail(image: ProductImage | None) -> SafeString | str:
    """A small picture of a stored photo; "-" where there is none."""
    if image is None or not image.image:
        return "-"
    return format_html(
        '<img class="thumbnail" src="{}" alt="{}" width="72" height="96" loading="lazy">',
        thumbnail_url(image.image, 160),
        str(image),
    )


class ProductImageForm(forms.ModelForm):
    """A photo and its map, decoded completely before they are taken, and hashed."""

    class Meta:
        model = ProductImage
        fields = ("product", "view", "image", "segmentation_map")
        # Django's own image field only verifies the header, of any format that Pillow knows.
        field_classes = {"image": forms.FileField, "segmentation_map": forms.FileField}

    def clean_image(self) -> object:
        """The photo, if it can be read; its hash goes to the row."""
        return self._checked("image", "sha256", PHOTO_FORMATS)

    def clean_segmentation_map(self) -> object:
        """The map, if there is one and it can be read; its hash goes to the row."""
        return self._checked("segmentation_map", "segmentation_sha256", MAP_FORMATS)

    def _checked(self, name: str, hash_name: str, formats: tuple[str, ...]) -> object:
        upload = self.cleaned_data[name]
        if isinstance(upload, UploadedFile):
            if upload.size > MAX_FILE_BYTES:
                raise ValidationError(f"the file is larger than {MAX_FILE_BYTES:,} bytes")
            try:
                checked = check_image(upload.read(), formats)
            except UnreadableImageError as error:
                raise ValidationError(str(error)) from error
            upload.seek(0)
            upload.name = f"upload{checked.suffix}"  # the content's suffix, whatever the name said
            setattr(self.instance, hash_name, checked.sha256)
        elif upload is False:  # the box that clears the field
            setattr(self.instance, hash_name, "")
        return upload


def delete_replaced_files(form: forms.ModelForm) -> None:
    """After commit, delete the stored files which the form's new ones took the place of."""
    for name in ("image", "segmentation_map"):
        if name in form.changed_data:
            delete_after_commit(form.initial.get(name))


class ProductImageInline(LabelledInline):
    """A product's photos."""

    model = ProductImage
    form = ProductImageForm
    fields = ("picture", "view", "image", "segmentation_map")
    readonly_fields = ("picture",)
    extra = 0

    @admin.display(description="photo")
    def picture(self, image: ProductImage) -> SafeString | str:
        """The photo."""
        return thumbnail(image)


class StockInline(LabelledInline):
    """The stores that have a product, or the products that a store has."""

    model = Stock
    autocomplete_fields = ("product", "store")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stock]:
        """With what a row calls itself by."""
        return super().get_queryset(request).select_related("product", "store")


@admin.register(Product)
class ProductAdmin(ListAdmin):
    """Products with their photos and where they are in stock."""

    list_display = (
        "picture",
        "item_id",
        "title",
        "gender",
        "category",
        "price",
        "is_active",
    )
    list_display_links = ("picture", "item_id")
    list_filter = ("is_active", "gender", "category__group", "category", "season", "usage")
    list_select_related = ("category",)
    search_fields = ("item_id", "title", "color")
    autocomplete_fields = ("category",)
    readonly_fields = ("created_at", "updated_at")
    inlines = (ProductImageInline, StockInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        """Products, with their primary photos in one query more."""
        primary = Prefetch(
            "images", ProductImage.objects.primary().select_related("product"), "primary_images"
        )
        return super().get_queryset(request).prefetch_related(primary)

    @admin.display(description="photo")
    def picture(self, product: Product) -> SafeString | str:
        """The primary photo."""
        return thumbnail(next(iter(product.primary_images), None))

    def save_formset(
        self, request: HttpRequest, form: forms.ModelForm, formset: forms.BaseFormSet, change: bool
    ) -> None:
        """Save, and drop the files of photos that were replaced."""
        super().save_formset(request, form, formset, change)
        if formset.model is ProductImage:
            for image_form in formset.forms:
                delete_replaced_files(image_form)


@admin.register(ProductImage)
class ProductImageAdmin(ListAdmin):
    """Photos, one per product and view."""

    form = ProductImageForm
    fields = (
        "picture",
        "product",
        "view",
        "image",
        "segmentation_map",
        "sha256",
        "segmentation_sha256",
        "created_at",
    )
    list_display = ("picture", "product", "view", "has_map", "created_at")
    list_filter = ("view", ("segmentation_map", admin.EmptyFieldListFilter))
    list_select_related = ("product",)
    search_fields = ("product__item_id", "product__title")
    autocomplete_fields = ("product",)
    readonly_fields = ("picture", "sha256", "segmentation_sha256", "created_at")

    @admin.display(description="photo")
    def picture(self, image: ProductImage) -> SafeString | str:
        """The photo."""
        return thumbnail(image)

    @admin.display(boolean=True, description="segmentation map")
    def has_map(self, image: ProductImage) -> bool:
        """Whether the photo has a segmentation map."""
        return bool(image.segmentation_map)

    def save_model(
        self, request: HttpRequest, obj: ProductImage, form: forms.ModelForm, change: bool
    ) -> None:
        """Save, and drop the files that were replaced."""
        super().save_model(request, obj, form, change)
        delete_replaced_files(form)


class CategoryInline(LabelledInline):
    """A group's categories."""

    model = Category
    extra = 0


@admin.register(CategoryGroup)
class CategoryGroupAdmin(ListAdmin):
    """Groups of categories."""

    list_display = ("name",)
    search_fields = ("name",)
    inlines = (CategoryInline,)


class GroupedFilter(admin.SimpleListFilter):
    """Whether anybody put a category into a group."""

    title = "grouped"
    parameter_name = "grouped"

    def lookups(self, request: HttpRequest, model_admin: ListAdmin) -> list[tuple[str, str]]:
        """One choice beside all."""
        return [("alone", "alone in a group")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Those that stand alone, where that was asked for."""
        return queryset.alone_in_group() if self.value() == "alone" else queryset


@admin.register(Category)
class CategoryAdmin(ListAdmin):
    """Categories; each shows how similar every other one is, and where that value comes from."""

    list_display = ("name", "group")
    list_filter = (GroupedFilter, "group")
    list_select_related = ("group",)
    search_fields = ("name",)
    autocomplete_fields = ("group",)
    readonly_fields = ("similarities",)

    @admin.display(description="similarity to other categories")
    def similarities(self, category: Category) -> SafeString | str:
        """The category's row of the similarity matrix, most similar first."""
        pairs = (
            CategoryPair.objects.filter(a=category.pk)
            .exclude(b=category.pk)
            .order_by("-similarity", "b__name")
            .values_list("b__name", "similarity", "source")
        )
        rows = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", pairs)
        return format_html("<table>{}</table>", rows) if rows else "-"


class SimilarityAdmin(ListAdmin):
    """Similarities of two rows, stored once per pair."""

    list_display = ("a", "b", "similarity")
    list_editable = ("similarity",)
    list_display_links = ("a", "b")
    list_select_related = ("a", "b")
    search_fields = ("a__name", "b__name")
    autocomplete_fields = ("a", "b")


admin.site.register([GroupSimilarity, CategorySimilarity], SimilarityAdmin)


@admin.register(Store)
class StoreAdmin(ListAdmin):
    """Shops and where they are."""

    list_display = ("name", "latitude", "longitude", "is_simulated")
    list_filter = ("is_simulated",)
    search_fields = ("name",)


@admin.register(Stock)
class StockAdmin(ListAdmin):
    """How many pieces of a product a store has."""

    list_display = ("product", "store", "quantity")
    list_filter = (("store", RelatedDropdownFilter),)
    list_filter_submit = True
    search_fields = ("product__item_id", "product__title", "store__name")
    autocomplete_fields = ("product", "store")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stock]:
        """With what a row calls itself by."""
        return super().get_queryset(request).select_related("product", "store")
