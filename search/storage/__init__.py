"""The database that holds a study: opened safely for many workers, and the tables in it."""
