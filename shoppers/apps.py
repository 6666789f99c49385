"""The shoppers app: shoppers, purchases, events, popularity, and the simulator."""

from django.apps import AppConfig


class ShoppersConfig(AppConfig):
    """Configuration of the shoppers app."""

    name = "shoppers"
