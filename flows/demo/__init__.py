"""The demonstration: an invented year of 17 bureaus around real published totals, and the story told with it."""
