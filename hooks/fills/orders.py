"""Words for procedure orders and the drug rules of documented calciphylaxis."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.api import FillSpec

FILLS: Mapping[str, FillSpec] = {}
