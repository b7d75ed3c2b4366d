"""Image regression on the compiled engine: settings, objective, baseline."""
