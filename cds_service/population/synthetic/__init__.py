"""Synthetic Bulk Data exports from a cohort that the content describes. No real patient is behind any of it."""
