"""`{% load amounts %}{{ product.price|money }}`."""

from django import template

from catalog.money import money

register = template.Library()
register.filter("money", money)
