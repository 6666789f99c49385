"""One shopper's page: what they are like, bought and get; their data given out or erased."""
