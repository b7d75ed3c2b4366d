"""The report: what has been run, as one page, beside what the paper says."""
