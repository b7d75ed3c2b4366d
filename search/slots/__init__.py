"""Exactly N: slots with leases, and how the next claimer settles what a crash left."""
