"""Layers, training, evaluation: takes arrays, and knows nothing of trials or of where images come from."""
