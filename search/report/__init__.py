"""The report: what has been run, as one page, next to what the paper says."""
