"""The recommender app: relevance, ranking profiles, recommendations, evaluation."""

from django.apps import AppConfig


class RecommenderConfig(AppConfig):
    """Configuration of the recommender app."""

    name = "recommender"
