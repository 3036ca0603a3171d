"""Many patients at once: a synthetic cohort, screening, replay of past orders, and whether a site's data will do."""
