"""Code systems, value sets, and what a coded or written order is."""
