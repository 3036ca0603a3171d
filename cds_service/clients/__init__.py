"""Who may call us, what each client needs, and proof that a caller is who it says."""
