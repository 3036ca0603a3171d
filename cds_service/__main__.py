"""`cds-service`, also `python -m cds_service`."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Import the command line, then run it."""
    # What is imported stays: walking it again and again on the way takes the collector a fifth of the start-up.
    gc.disable()
    try:
        from cds_service.cli import main as command  # noqa: PLC0415 - behind the switch
    finally:
        gc.freeze()
        gc.enable()
    command()


if __name__ == "__main__":
    main()
