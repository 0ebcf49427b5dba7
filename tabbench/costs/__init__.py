"""What cells are expected to cost: what was measured beforehand, corrected by what cells have cost so far."""
