"""URLs of the site."""

from django.contrib import admin
from django.urls import include, path

from fashrec_site.access.guard import guarded
from fashrec_site.access.introspection import ide_for_insiders
from fashrec_site.access.json_only import json_only
from fashrec_site.graphql_view import CodedGraphQLView
from fashrec_site.photo_search import views as photo_search
from fashrec_site.photo_search.uploads import bounded_upload
from fashrec_site.schema import schema
from fashrec_site.thumbnails import thumbnail

graphql = guarded(
    json_only(
        ide_for_insiders(
            CodedGraphQLView.as_view(schema=schema),
            without_ide=CodedGraphQLView.as_view(schema=schema, graphql_ide=None),
        )
    )
)

urlpatterns = [
    path("media/thumbnails/<path:path>", thumbnail, name="thumbnail"),
    path("", include("fashrec_site.storefront.urls")),
    path("admin/", admin.site.urls),
    path("graphql/", graphql, name="graphql"),
    path("search/photo", bounded_upload(guarded(photo_search.begin)), name="photo-search"),
    path("search/photo/<str:search_id>", guarded(photo_search.result), name="photo-search-result"),
]
