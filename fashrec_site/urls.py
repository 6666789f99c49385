"""URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from fashrec_site import storefront
from fashrec_site.graphql_view import CodedGraphQLView
from fashrec_site.schema import schema

# Exempt from CSRF because it only reads; the first mutation must change that.
graphql = csrf_exempt(
    CodedGraphQLView.as_view(schema=schema, graphql_ide=None if settings.PRODUCTION else "graphiql")
)

urlpatterns = [
    path("", storefront.home, name="home"),
    path("report/", storefront.report, name="report"),
    path("report/<str:name>", storefront.report_file, name="report-file"),
    path("media/<path:path>", storefront.media, name="media"),
    path("admin/", admin.site.urls),
    path("graphql/", graphql, name="graphql"),
]
