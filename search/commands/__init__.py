"""The commands: they read settings, call the rooms, and print; nothing else prints."""
