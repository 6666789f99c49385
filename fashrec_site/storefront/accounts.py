"""Logging in, signing up and logging out, by the API's mutations."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import Gender
from fashrec_site.storefront import demo
from fashrec_site.storefront.api import ApiError, change
from fashrec_site.storefront.pages import back, next_url, page
from fashrec_site.storefront.visitor import VISITOR_COOKIE, visitor_of


class LoginForm(forms.Form):
    """A name and a password."""

    username = forms.CharField(
        max_length=150,
        label="User name",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignupForm(LoginForm):
    """A new shopper's."""

    gender = forms.ChoiceField(choices=Gender.choices, initial=Gender.UNISEX, label="I buy for")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autocomplete"] = "new-password"
        self.fields["password"].help_text = "Eight characters or more."


@page
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The login; what the browser did before becomes the shopper's."""
    return _account_page(request, LoginForm, "login", "storefront/login.html")


@page
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new account."""
    return _account_page(request, SignupForm, "signup", "storefront/signup.html")


@page
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """The end of the session."""
    change(request, "logout")
    response = redirect("home")
    response.delete_cookie(VISITOR_COOKIE)  # one that was used up at a login may still be there
    return response


def _account_page(
    request: HttpRequest, form_class: type[forms.Form], mutation: str, template: str
) -> HttpResponse:
    """The form, or after it was filled in rightly the page that one came from."""
    form = form_class(request.POST or None)
    if form.is_valid() and _accepted(request, form, mutation):
        response = back(request)
        response.delete_cookie(VISITOR_COOKIE)  # merged: its events are the shopper's now
        return response
    context = {"form": form, "next": next_url(request), "shoppers": demo.offered_shoppers()}
    return render(request, template, context, status=422 if form.errors else 200)


def _accepted(request: HttpRequest, form: forms.Form, mutation: str) -> bool:
    """Whether the API took it; what it said otherwise stands beside the fields."""
    token = visitor_of(request).session_token
    try:
        change(request, mutation, sessionToken=token, **form.cleaned_data)
    except ApiError as error:
        if not error.fields:
            form.add_error(None, str(error))
        for name, message in error.fields.items():
            form.add_error(name if name in form.fields else None, message)
        return False
    return True
