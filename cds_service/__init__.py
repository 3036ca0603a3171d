"""CDS Hooks engine: reads FHIR data, evaluates reviewable rules, answers with cards."""

__version__ = "0.1.0"
