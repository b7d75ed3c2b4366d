"""The processes of a search: the launcher, the workers and their loop, and what shows how they go."""
