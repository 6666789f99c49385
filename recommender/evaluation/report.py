"""report.md: the tables of evaluation.json in words, each with how to read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from recommender.evaluation import published

REPORT_FILE = "report.md"

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]

INTRODUCTION = """\
Each figure is a mean with its 95% interval in brackets: shoppers (for visual neighbours, photos)
are drawn again with replacement, {n_resamples} times. Two intervals that overlap widely are no
difference. An interval of no width (0 or 100 throughout) says only that every shopper agreed, not
that the next one will. `n` is the number of recommendations behind a row."""

BACKBONES = """\
For every product that a shopper bought, the {k} most relevant others. *Category similarity* is the
mean CatSim of the two products (100: the same category). *Popularity MAE* is the mean distance
between a recommended product's normalised popularity and the shopper's trendiness, times 100:
smaller follows the shopper better. The last column was {label}."""

GENDER = """\
*Gender alignment* is how often a recommended product's gender is the shopper's, UNISEX on either
side counting as a match. With the filter on it is a property of the filter; only the columns
without it say something about the embedding, and only by what they exceed *chance* (random products
for the same shoppers). Neither is better than the catalogue's own labels."""

BEYOND = """\
*Coverage* is the share of all products that was recommended to anyone (no interval: a resample has
fewer different shoppers, so its coverage is too small by construction). *Novelty* is the mean
self-information in bits: larger is less known. *Diversity* is the mean cosine distance inside a
list, in the backbone's own space: it compares variants of one backbone, never two backbones."""

ABLATION = """\
All rows with {backbone}. *No popularity* and *no visual* set that weight to 0. *No masks* compares
whole photos. *Public code* is what the paper's code computes, unlike its text: similarity rescaled
to [0, 1] per purchase, weights .4 and .2, exponent 4, no gender filter."""

TRENDINESS = """\
The full model with {backbone}, by the shopper's trendiness: low is below 0.33, medium below 0.66,
high the rest."""

HELD_OUT = """\
Each shopper's last purchase is hidden and every ranker orders the same candidates: products on
sale, of a compatible gender, that the shopper had not bought. History and popularity are those
strictly before that purchase. With one product to find, recall@{k} and the hit rate are the same
number. *Percentile* is where the product came among the candidates: 100 first, 50 by chance.
*Popularity near t* is the relevance's popularity term alone, *popularity* puts the most popular
first, *random* is the exact expectation. {n_shoppers:,} shoppers; left out: {left_out}."""

FEW_HITS = """\
Nobody's product was found by some rankers, which does not prove a rate of 0: with none among
{n_shoppers:,}, up to about {upper:.1f}% would still be compatible (3 / n)."""

SIMULATED = """\
{share} of the purchases are simulated, and the simulation looks at gender and popularity, never at
photos. On them looks can add nothing but chance: what a backbone reaches above *random* comes from
popularity suiting the shopper, and a difference between backbones is noise."""

VISUAL = """\
Each product's {k} nearest others by its photo alone, of whatever gender and popularity: the share
that has its category. *Chance* is what random neighbours would reach. *Masks help by* is the mean
difference on the same photos, with its own interval."""

CAVEATS = """\
- Category similarity and gender come from the catalogue's labels; a wrong or assumed label counts
  as the recommender's mistake (a gender that a file name assumes proves nothing about gender).
- Categories that dominate the catalogue make chance high; compare with the chance column.
- Tables 1 to 3 use today's popularity, in which the purchases themselves are counted; only the
  held-out section goes back in time.
- The paper does not publish its purchases, its simulated popularity or its split. Its Table 2
  "full" equals no row of its Table 1, so no single setting reproduces both."""


def report_text(results: Mapping[str, Any]) -> str:
    """The whole report in Markdown, with the pictures beside it embedded by name."""
    settings = results["settings"]
    pictures = {picture["file"]: picture["title"] for picture in results["pictures"]}
    parts = [
        "# Evaluation report",
        _provenance(settings),
        INTRODUCTION.format(**settings),
        *_backbones_section(results, pictures),
        *_ablation_section(results, pictures),
        *_trendiness_section(results, pictures),
        *_held_out_section(results),
        *_visual_section(results, pictures),
        *_figures_section(pictures),
        "## Caveats",
        "\n".join([CAVEATS, *_notes(settings, results)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _provenance(settings: Mapping[str, Any]) -> str:
    counts, weights = settings["database"], settings["weights"]
    lines = [
        f"{settings['started_at']}, code {settings['code_version']}, seed {settings['seed']}, "
        f"{settings['seconds']} s.",
        f"{counts['active_products']:,} products on sale in {counts['categories']:,} categories, "
        f"{counts['photos']:,} photos ({counts['photos_with_segmentation_map']:,} with a "
        f"segmentation map), {counts['shoppers_with_purchases']:,} shoppers with "
        f"{counts['purchases']:,} purchases ({counts['simulated_purchases']:,} simulated).",
        f"K {settings['k']}, weights: visual {weights['visual']}, popularity "
        f"{weights['popularity']}, category {weights['category']}; gamma {settings['gamma']}.",
    ]
    return "  \n".join(lines)


def _backbones_section(results: Mapping[str, Any], pictures: Mapping[str, str]) -> list[str]:
    rows, settings = results["tables"]["backbones"], results["settings"]
    name = ("backbone", lambda row: row["backbone"])
    gender = [
        name,
        ("filter on, %", estimate("gender_alignment")),
        ("n", count("gender_alignment_n")),
        ("without UNISEX, %", estimate("gender_alignment_without_unisex")),
        ("n", count("gender_alignment_without_unisex_n")),
        ("filter off, %", estimate("gender_alignment_unfiltered")),
        ("n", count("gender_alignment_unfiltered_n")),
        ("chance, %", plain("gender_alignment_chance")),
        ("filter off, without UNISEX, %", estimate("gender_alignment_without_unisex_unfiltered")),
        ("n", count("gender_alignment_without_unisex_unfiltered_n")),
        ("chance, %", plain("gender_alignment_without_unisex_chance")),
    ]
    beyond = [
        name,
        ("coverage, %", plain("coverage")),
        ("novelty, bits", estimate("novelty")),
        ("diversity", estimate("diversity", digits=3)),
        ("n", count("n_recommendations")),
    ]
    has_gender = any(row["gender_alignment"] is not None for row in rows)
    return [
        "## Backbones (the paper's Table 1)",
        BACKBONES.format(k=settings["k"], label=published.LABEL),
        table([name, *_paper_columns(gender=has_gender)], rows),
        _picture(pictures, "table_1_backbones.png"),
        *([GENDER, table(gender, rows)] if has_gender else []),
        BEYOND,
        table(beyond, rows),
    ]


def _ablation_section(results: Mapping[str, Any], pictures: Mapping[str, str]) -> list[str]:
    rows = results["tables"]["ablation"]
    has_gender = any(row["gender_alignment"] is not None for row in rows)
    columns = [("variant", lambda row: row["variant"]), *_paper_columns(gender=has_gender)]
    return [
        "## Ablation (Table 2)",
        ABLATION.format(backbone=rows[0]["backbone"]),
        table(columns, rows),
        *[
            f"{row['variant'].capitalize()}: {row['status']}, as {row['reason']}."
            for row in rows
            if "reason" in row
        ],
        _picture(pictures, "table_2_ablation.png"),
    ]


def _trendiness_section(results: Mapping[str, Any], pictures: Mapping[str, str]) -> list[str]:
    rows = results["tables"]["trendiness"]
    columns = [
        ("group", lambda row: row["group"]),
        ("shoppers", count("n_shoppers")),
        *_paper_columns(),
    ]
    return [
        "## Shoppers by trendiness (Table 3)",
        TRENDINESS.format(backbone=rows[0]["backbone"]),
        table(columns, rows),
        _picture(pictures, "table_3_trendiness.png"),
    ]


def _held_out_section(results: Mapping[str, Any]) -> list[str]:
    held_out, k = results["held_out"], results["settings"]["k"]
    left_out = "; ".join(f"{reason}: {n:,}" for reason, n in held_out["left_out"].items())
    columns = [
        ("ranker", lambda row: row["ranker"]),
        (f"recall@{k} = hit rate, %", estimate("recall")),
        (f"NDCG@{k}, %", estimate("ndcg")),
        ("recall@100, %", estimate("recall_at_100")),
        ("percentile", estimate("percentile_rank")),
        ("n (shoppers)", count("n_shoppers")),
    ]
    return [
        "## The last purchase, held out",
        HELD_OUT.format(k=k, n_shoppers=held_out["n_shoppers"], left_out=left_out or "none"),
        table(columns, held_out["rankers"]) if held_out["rankers"] else "Nobody can be evaluated.",
        _few_hits(held_out),
        _simulated(results["settings"]["database"]),
    ]


def _few_hits(held_out: Mapping[str, Any]) -> str:
    """The rule of three, where a ranker found nothing (Hanley and Lippman-Hand, JAMA 1983)."""
    if not any(row["recall"] == 0 for row in held_out["rankers"]):
        return ""
    n_shoppers = held_out["n_shoppers"]
    return FEW_HITS.format(n_shoppers=n_shoppers, upper=min(100.0, 300 / n_shoppers))


def _simulated(counts: Mapping[str, int]) -> str:
    n_simulated, n_purchases = counts["simulated_purchases"], counts["purchases"]
    if not n_simulated:
        return ""
    share = "All" if n_simulated == n_purchases else f"{100 * n_simulated / n_purchases:.0f}%"
    return SIMULATED.format(share=share)


def _visual_section(results: Mapping[str, Any], pictures: Mapping[str, str]) -> list[str]:
    rows, k = results["visual"], results["settings"]["k"]
    columns = [
        ("backbone", lambda row: row["backbone"]),
        ("photos compared by", lambda row: row["masks"]),
        (f"same-category precision@{k}, %", estimate("same_category_precision")),
        ("chance, %", plain("chance")),
        ("masks help by, points", estimate("gain_over_whole_photo")),
        ("n (photos)", count("n_photos")),
    ]
    if not any("gain_over_whole_photo" in row for row in rows):
        del columns[4]
    return [
        "## Visual neighbours",
        VISUAL.format(k=k),
        table(columns, rows),
        *[verdict for row in rows if (verdict := _mask_verdict(row))],
        _picture(pictures, "visual_neighbours.png"),
    ]


def _mask_verdict(row: Row) -> str:
    """One sentence on whether masking changed what a backbone finds."""
    interval = row.get("gain_over_whole_photo_interval")
    if interval is None:
        return ""
    if interval[0] > 0:
        return f"With {row['backbone']}, masks find more neighbours of the same category."
    if interval[1] < 0:
        return f"With {row['backbone']}, masks find fewer neighbours of the same category."
    return f"With {row['backbone']}, masks make no difference that these photos can show."


def _figures_section(pictures: Mapping[str, str]) -> list[str]:
    names = [name for name in pictures if name.startswith("figure_")]
    missing = "figure_2_masks.png" not in pictures
    return [
        "## Figures",
        "There is no Figure 2: no photo has a segmentation map." if missing else "",
        *[_picture(pictures, name) for name in names],
    ]


def _notes(settings: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    """Caveats that hold for this run only."""
    notes = [f"- Not compared: {reason}." for reason in settings["skipped_backbones"].values()]
    for row in results["tables"]["backbones"]:
        if n := row["n_purchases_left_out"]:
            notes.append(
                f"- {n:,} purchased products have no vector of {row['backbone']}, or are no longer "
                "on sale, and are left out of its rows."
            )
    if settings["database"]["genders"] < 2:
        notes.append("- All products have one gender, so nothing is said about gender.")
    return notes


def _paper_columns(*, gender: bool = False) -> list[Column]:
    return [
        ("category similarity, %", estimate("category_similarity")),
        *([("gender alignment, %", estimate("gender_alignment"))] if gender else []),
        ("popularity MAE x 100", estimate("popularity_mae")),
        ("n", count("n_recommendations")),
        ("published (not comparable)", _published),
    ]


def _published(row: Row) -> str:
    known = row["published"]
    if known is None:
        return "-"
    gender = known["gender_alignment"]
    parts = [f"{known['category_similarity']:g}"]
    parts += [f"gender {gender:g}"] if gender is not None else []
    return ", ".join([*parts, f"MAE {known['popularity_mae']:g}"])


def estimate(key: str, digits: int = 2) -> Callable[[Row], str]:
    """A cell with the figure and its interval; what a row cannot have is `-`."""

    def cell(row: Row) -> str:
        if row.get(key) is None:
            return row.get("status", "-")
        interval = row.get(f"{key}_interval")
        value = f"{row[key]:.{digits}f}"
        return (
            f"{value} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]" if interval else value
        )

    return cell


def plain(key: str) -> Callable[[Row], str]:
    """A cell with a number that has no interval."""
    return lambda row: "-" if row[key] is None else f"{row[key]:.2f}"


def count(key: str) -> Callable[[Row], str]:
    """A cell with a whole number."""
    return lambda row: f"{row.get(key) or 0:,}"


def table(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """A Markdown table, numbers to the right."""
    head = "| " + " | ".join(title for title, _ in columns) + " |"
    rule = "|---" + "|---:" * (len(columns) - 1) + "|"
    lines = ["| " + " | ".join(cell(row) for _, cell in columns) + " |" for row in rows]
    return "\n".join([head, rule, *lines])


def _picture(pictures: Mapping[str, str], name: str) -> str:
    return f"![{pictures[name]}]({name})" if name in pictures else ""
