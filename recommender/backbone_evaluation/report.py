"""report.html: the figures of a backbone in tables, each with how to read it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from recommender.evaluation.report import Column, count, estimate, plain, table

REPORT_FILE = "report.html"
DIGITS = 3

INTRODUCTION = """\
Queries are the photos of the test part (a fifth, by the MD5 of what twins share: title, sender or
article). *All others* ranks everything but the query, *test part* only the other test photos,
*without twins* leaves out what shares the query's title, sender or article. One vector per photo
and one ranking serve all labels. Brackets are 95% intervals, those of macro means over the values
of the label, all others over groups of twins, drawn again with replacement. *Chance* is the share
of hits in the gallery."""

METRICS_TEXT = """\
*P@5* is the share of the five nearest that have the query's value, *R@k* whether any of the first
k has it, *mAP* the mean average precision, *NDCG@10* discounts hits by their rank; *macro* is the
mean over the label's values, so that small categories count as much as large ones."""

STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem }
table { border-collapse: collapse; font-size: 13px } td, th { padding: .2rem .6rem }
tr:nth-child(even) { background: #f4f4f4 } img { max-width: 100% } .wide { overflow-x: auto }"""


def report_html(results: Mapping[str, Any]) -> str:
    """The whole report as one page, with the pictures beside it by name."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(report_text(results))
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>')
    body = body.replace("</table>", "</table></div>")
    title = escape(f"{results['settings']['backbone']} as a retrieval backbone")
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>\n{STYLE}\n</style>\n{body}</html>\n"
    )


def report_text(results: Mapping[str, Any]) -> str:
    """The same in Markdown."""
    settings = results["settings"]
    parts = [
        f"# {settings['backbone']} as a retrieval backbone",
        f"{settings['started_at']}, code {settings['code_version']}, weights "
        f"{settings['weights_sha256'][:12]}, photos: {settings['photos']} "
        f"({settings['n_photos']:,}, unreadable: {settings['n_unreadable']:,}), by "
        f"{settings['runtime']}.",
        INTRODUCTION,
        METRICS_TEXT,
        *_label_sections(results["rows"]),
        *_search_section(results["search"]),
        "## Categories",
        table(_category_columns(), results["categories"]),
        *[
            f"## {picture['title']}\n\n![{picture['title']}]({picture['file']})"
            for picture in results["pictures"]
        ],
    ]
    return "\n\n".join(parts) + "\n"


def _label_sections(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = []
    for label in dict.fromkeys(row["label"] for row in rows):
        parts.append(f"## Same {label.replace('_', ' ')}")
        parts.append(table(_columns(), [row for row in rows if row["label"] == label]))
    return parts


def _search_section(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    return [
        "## Search by phone photo",
        "A hit is one of the catalogue categories that the committed map names for the photo's "
        "label; labels without a counterpart are not asked for.",
        table(_columns(), rows),
    ]


def _columns() -> list[Column]:
    return [
        ("seen and compared", lambda row: row["variant"]),
        ("gallery", lambda row: row["gallery"]),
        ("queries", count("n_queries")),
        ("of", count("n_gallery")),
        *_metric_columns(),
        ("macro P@5", estimate("macro_precision_at_5", DIGITS)),
        ("macro mAP", estimate("macro_average_precision", DIGITS)),
        ("chance", plain("chance")),
    ]


def _category_columns() -> list[Column]:
    return [
        ("category", lambda row: row["category"]),
        ("queries", count("n_queries")),
        *_metric_columns(),
    ]


def _metric_columns() -> list[Column]:
    return [
        ("P@5", estimate("precision_at_5", DIGITS)),
        ("R@1", estimate("recall_at_1", DIGITS)),
        ("R@5", estimate("recall_at_5", DIGITS)),
        ("R@10", estimate("recall_at_10", DIGITS)),
        ("mAP", estimate("average_precision", DIGITS)),
        ("NDCG@10", estimate("ndcg_at_10", DIGITS)),
    ]
