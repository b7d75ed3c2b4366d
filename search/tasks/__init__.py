"""What a trial trains: a task is a folder here, and nothing elsewhere."""
