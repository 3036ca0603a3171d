"""How each defence is switched off: one small change of the source, after which a test of its row must fail.

`scripts/defences.py` makes the changes, one by one, in a copy. A test asks that each text still stands where
this list says, exactly once.
"""

from __future__ import annotations

from switch import Switch
from switched_faults import FAULTS
from switched_threats import THREATS

SWITCHES: tuple[Switch, ...] = (*THREATS, *FAULTS)
