"""URLs of the storefront."""

from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from fashrec_site.storefront import accounts, checkout, demo, events, files, place, report
from fashrec_site.storefront.catalogue import catalogue
from fashrec_site.storefront.favourites import favourites
from fashrec_site.storefront.home import home
from fashrec_site.storefront.photo_search import photo_search
from fashrec_site.storefront.product import product


class Favicon(RedirectView):
    """Where browsers look for an icon when a page names none."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        """The icon's own address, which in production has a hash."""
        return static("fashrec/icon.svg")


urlpatterns = [
    path("", home, name="home"),
    path("products/", catalogue, name="catalogue"),
    path("products/<path:item_id>/", product, name="product"),
    path("favourites/", favourites, name="favourites"),
    path("photo/", photo_search, name="photo-search-page"),
    path("events/", events.record, name="record-event"),
    path("bag/", checkout.show_bag, name="bag"),
    path("bag/add/", checkout.add_to_bag, name="add-to-bag"),
    path("bag/remove/", checkout.remove_from_bag, name="remove-from-bag"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/thanks/", checkout.thanks, name="thanks"),
    path("place/", place.place, name="place"),
    path("place/forget/", place.forget_place, name="forget-place"),
    path("login/", accounts.log_in, name="login"),
    path("signup/", accounts.sign_up, name="signup"),
    path("logout/", accounts.log_out, name="logout"),
    path("demo/login/", demo.log_in_as, name="demo-login"),
    path("report/", report.report, name="report"),
    path("report/<str:name>", report.report_file, name="report-file"),
    path("media/<path:path>", files.media, name="media"),
    path("favicon.ico", Favicon.as_view()),
]
