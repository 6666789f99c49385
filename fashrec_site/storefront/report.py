"""The latest evaluation report as a page; in the demo or for staff only."""

import re
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

from fashrec_site.storefront.files import served_file
from fashrec_site.storefront.insiders import may_see_shoppers


def report(request: HttpRequest) -> HttpResponse:
    """The report with its tables and pictures."""
    folder = _folder_for(request)
    text = (folder / "report.md").read_text(encoding="utf-8")
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    # Columns are aligned by a style, which the site's content policy keeps browsers from applying.
    html = re.sub(r' style="text-align:(left|center|right)"', r' class="\1"', html)
    # A keyboard can scroll only what it can reach; raw HTML is off, so that these are our tables.
    html = html.replace("<table>", '<div class="wide" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    context = {"report": mark_safe(html)}  # noqa: S308 - rendered with raw HTML off
    return render(request, "storefront/report.html", context)


def report_file(request: HttpRequest, name: str) -> FileResponse:
    """A picture or the JSON of the report."""
    return served_file(_folder_for(request), name, max_age_seconds=60)


def may_see_report(request: HttpRequest) -> bool:
    """Whether there is a report, and the caller may read it."""
    return may_see_shoppers(request) and _folder() is not None


def report_pictures() -> list[str]:
    """The names of the report's pictures."""
    folder = _folder()
    return sorted(path.name for path in folder.glob("*.png")) if folder else []


def _folder_for(request: HttpRequest) -> Path:
    if not may_see_report(request):
        raise Http404
    return _folder()


def _folder() -> Path | None:
    folder = settings.FASHREC_HOME / "reports" / "latest"
    return folder if (folder / "report.md").is_file() else None
