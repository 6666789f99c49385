"""Products and their photos, categories and their similarities, stores and stock."""

import uuid
from pathlib import PurePath

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from catalog.querysets import (
    CategoryQuerySet,
    ProductImageQuerySet,
    ProductQuerySet,
    StoreQuerySet,
)

UNIT_INTERVAL = [MinValueValidator(0.0), MaxValueValidator(1.0)]
PRIMARY_VIEWS = ("front", "full", "side", "back")  # in order of preference


def within(field: str, low: float, high: float) -> Q:
    """The condition `low <= field <= high`, for check constraints."""
    return Q(**{f"{field}__gte": low, f"{field}__lte": high})


class Gender(models.TextChoices):
    """Whom a product is made for, and whom a shopper buys for."""

    WOMEN = "WOMEN"
    MEN = "MEN"
    UNISEX = "UNISEX"
    GIRLS = "GIRLS"
    BOYS = "BOYS"

    def compatible(self) -> frozenset["Gender"]:
        """Genders whose products this one may be recommended.

        Equal, or either is UNISEX; girls and boys see each other's, and never adults' products.
        """
        if self is Gender.UNISEX:
            return frozenset(Gender)
        children = {Gender.GIRLS, Gender.BOYS}
        return frozenset({self, Gender.UNISEX} | (children if self in children else set()))


class CategoryGroup(models.Model):
    """Categories that belong together, such as tops."""

    name = models.CharField(max_length=100, unique=True)

    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A kind of garment; every category belongs to one group."""

    name = models.CharField(max_length=100, unique=True)
    group = models.ForeignKey(CategoryGroup, on_delete=models.PROTECT, related_name="categories")

    objects = CategoryQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class UnorderedPair(models.Model):
    """A similarity of two different rows, stored once: `a` is the one with the smaller key."""

    similarity = models.FloatField(validators=UNIT_INTERVAL)

    class Meta:
        abstract = True

    def save(self, *args: object, **kwargs: object) -> None:
        """Save with `a` and `b` in key order."""
        self._order()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Put the pair in key order, so that a form finds the same pair entered the other way."""
        if self.a_id and self.a_id == self.b_id:
            raise ValidationError("Choose two different ones; each is like itself by definition.")
        self._order()

    def _order(self) -> None:
        if self.a_id and self.b_id and self.a_id > self.b_id:
            self.a_id, self.b_id = self.b_id, self.a_id


class GroupSimilarity(UnorderedPair):
    """How alike two groups' categories are, where no override says otherwise."""

    a = models.ForeignKey(CategoryGroup, on_delete=models.CASCADE, related_name="+")
    b = models.ForeignKey(CategoryGroup, on_delete=models.CASCADE, related_name="+")

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "group similarities"
        constraints = [
            models.UniqueConstraint(fields=["a", "b"], name="group_pair_once"),
            models.CheckConstraint(condition=Q(a__lt=F("b")), name="group_pair_in_key_order"),
            models.CheckConstraint(
                condition=within("similarity", 0, 1), name="group_similarity_in_unit_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.a} - {self.b}: {self.similarity}"


class CategorySimilarity(UnorderedPair):
    """An override for two categories; it wins over their groups' value."""

    a = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    b = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "category similarities"
        constraints = [
            models.UniqueConstraint(fields=["a", "b"], name="category_pair_once"),
            models.CheckConstraint(condition=Q(a__lt=F("b")), name="category_pair_in_key_order"),
            models.CheckConstraint(
                condition=within("similarity", 0, 1), name="category_similarity_in_unit_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.a} - {self.b}: {self.similarity}"


class CategoryPair(models.Model):
    """CatSim for every ordered pair of categories: a database view, the only definition of it.

    1.0 for the same category, else an override, else 0.8 within a group, else the groups' value,
    else 0.1. `source` says which of these it was.
    """

    class Source(models.TextChoices):
        """Where a pair's similarity comes from."""

        SAME = "same"
        OVERRIDE = "override"
        WITHIN_GROUP = "within group"
        GROUPS = "groups"
        DEFAULT = "default"

    pk = models.CompositePrimaryKey("a_id", "b_id")
    a = models.ForeignKey(Category, on_delete=models.DO_NOTHING, related_name="+")
    b = models.ForeignKey(Category, on_delete=models.DO_NOTHING, related_name="+")
    similarity = models.FloatField()
    source = models.CharField(max_length=20, choices=Source)

    class Meta:
        managed = False
        db_table = "catalog_categorypair"

    def __str__(self) -> str:
        return f"{self.a_id} - {self.b_id}: {self.similarity} ({self.source})"


class Product(models.Model):
    """An article on sale: one design in one colour (DeepFashion's item and colour number)."""

    item_id = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=300, blank=True)
    gender = models.CharField(max_length=10, choices=Gender, default=Gender.UNISEX)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    color = models.CharField(max_length=100, blank=True)
    season = models.CharField(max_length=100, blank=True)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    usage = models.CharField(max_length=100, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="merged",
        help_text="the product that it turned out to be: its item id names that one from then on",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["price", "id"], name="product_price"),
            models.Index(Lower("color"), name="product_color"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(item_id=""), name="product_item_id_not_empty"),
            models.CheckConstraint(
                condition=Q(price__isnull=True) | Q(price__gte=0), name="product_price_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(gender__in=Gender.values), name="product_gender_known"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(is_active=False),
                name="merged_product_not_on_sale",
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="product_not_merged_into_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.item_id

    def clean(self) -> None:
        """Refuse to put a product on sale that is another one's."""
        if self.is_active and self.merged_into_id:
            message = f"It was merged into {self.merged_into.item_id}: undo that first."
            raise ValidationError({"is_active": message})


class ProductSearch(models.Model):
    """The words that a product is found by; kept by the database (migration 0003).

    Its title counts most, then its category, then its group, colour, season and usage.
    """

    product = models.OneToOneField(
        Product, on_delete=models.CASCADE, primary_key=True, related_name="search"
    )
    document = SearchVectorField()

    class Meta:
        verbose_name_plural = "product search"
        indexes = [GinIndex(fields=["document"], name="product_search_document")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.document}"


class SearchWord(models.Model):
    """A word that some product was ever described by, with its trigrams, so that typos find it.

    Stands in for pg_trgm, which the embedded PostgreSQL does not ship. Kept by the database; a word
    stays when its last product goes, as then it only leads to no product.
    """

    word = models.TextField()  # not unique: importing a word never waits for who imports it too
    trigrams = ArrayField(models.TextField())

    class Meta:
        indexes = [
            models.Index(fields=["word"], name="search_word"),
            GinIndex(fields=["trigrams"], name="search_word_trigrams"),
        ]

    def __str__(self) -> str:
        return self.word


def photo_path(instance: "ProductImage", filename: str) -> str:
    """A storage name of our own making: nothing of the uploaded name but a known suffix."""
    return _generated_path("products", filename)


def segmentation_map_path(instance: "ProductImage", filename: str) -> str:
    """A storage name of our own making for a segmentation map."""
    return _generated_path("segmentation_maps", filename)


def _generated_path(folder: str, filename: str) -> str:
    suffix = PurePath(filename).suffix.lower()
    suffix = suffix if suffix in {".jpg", ".jpeg", ".png", ".webp"} else ".bin"
    name = uuid.uuid4().hex
    return f"{folder}/{name[:2]}/{name}{suffix}"


class ProductImage(models.Model):
    """A photo of a product from one view, with its segmentation map where there is one."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    image = models.ImageField(upload_to=photo_path, max_length=200)
    segmentation_map = models.ImageField(
        upload_to=segmentation_map_path, max_length=200, blank=True
    )
    view = models.CharField(max_length=32, help_text="front, full, side, back, or any other name")
    view_rank = models.GeneratedField(
        expression=Case(
            *(When(view=view, then=Value(rank)) for rank, view in enumerate(PRIMARY_VIEWS)),
            default=Value(len(PRIMARY_VIEWS)),
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )
    sha256 = models.CharField(max_length=64, help_text="of the photo's file")
    segmentation_sha256 = models.CharField(
        max_length=64, blank=True, help_text="of the segmentation map's file"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProductImageQuerySet.as_manager()

    class Meta:
        ordering = ["product_id", "view_rank", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "view"], name="one_photo_per_view"),
            models.CheckConstraint(
                condition=Q(segmentation_map="", segmentation_sha256="")
                | (~Q(segmentation_map="") & ~Q(segmentation_sha256="")),
                name="segmentation_map_has_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} ({self.view})"


class Store(models.Model):
    """A shop with its place on Earth, in degrees."""

    name = models.CharField(max_length=200, unique=True)
    latitude = models.FloatField(validators=[MinValueValidator(-90.0), MaxValueValidator(90.0)])
    longitude = models.FloatField(validators=[MinValueValidator(-180.0), MaxValueValidator(180.0)])
    is_simulated = models.BooleanField(default=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["latitude", "longitude"], name="store_place")]
        constraints = [
            models.CheckConstraint(
                condition=within("latitude", -90, 90), name="store_latitude_in_range"
            ),
            models.CheckConstraint(
                condition=within("longitude", -180, 180), name="store_longitude_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stock(models.Model):
    """How many pieces of a product a store has."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="stock")
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="stock")
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "stock"
        constraints = [
            models.UniqueConstraint(fields=["product", "store"], name="one_stock_per_store"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product} in {self.store}"
