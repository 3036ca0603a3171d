"""A black-box conformance client for any CDS Hooks service: `run(url, options)` gives a report."""

from cds_service.conform.checks import CHECKS
from cds_service.conform.model import Level, Result, Verdict
from cds_service.conform.options import Options, OptionsError
from cds_service.conform.report import Report
from cds_service.conform.run import run

__all__ = ["CHECKS", "Level", "Options", "OptionsError", "Report", "Result", "Verdict", "run"]
