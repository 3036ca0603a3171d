"""`cds-service`, also `python -m cds_service`."""

from cds_service.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
