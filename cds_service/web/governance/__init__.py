"""The governance page: how rules fare, per site and week, for those who decide about them."""
