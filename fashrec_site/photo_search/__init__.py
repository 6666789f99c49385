"""`/search/photo` and GraphQL's `photoSearch`: search by photo, for whoever asks."""
