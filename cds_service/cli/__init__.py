"""The command line: serve, demo, check, explain, export."""

from cds_service.cli.commands import main

__all__ = ["main"]
