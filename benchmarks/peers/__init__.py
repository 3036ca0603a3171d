"""The same small rule in other frameworks, each installed in an environment of its own by `make bench-peers`.

The rule: on dialysis (N18.6 or Z99.2), a warfarin draft, and the latest calcium times the latest phosphate above
55 mg2/dL2 give one warning card. It has no unit, status or identity checks: what is compared is what frameworks cost.
"""
