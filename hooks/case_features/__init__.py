"""Case features: what the rules mean by "on dialysis", "documented calciphylaxis", "high Ca x P"."""
