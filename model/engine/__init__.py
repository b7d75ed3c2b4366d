"""What trains a network fast: one graph compiled once, on data that stays on the device."""
