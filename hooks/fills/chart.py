"""Words for the patient view and discharge rules."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.api import FillSpec

FILLS: Mapping[str, FillSpec] = {}
