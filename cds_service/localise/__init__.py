"""Card text in the client's language: deferred messages, and the catalogues that translate them."""
