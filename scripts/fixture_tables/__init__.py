"""Tables from which `make_fixtures.py` writes the synthetic patients and the case files."""
