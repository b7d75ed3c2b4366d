"""What the commands can be told, and where it is read from."""
