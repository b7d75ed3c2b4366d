"""The commands: they read settings, call, and print."""
