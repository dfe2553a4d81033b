"""One viewer of a whole cohort: a scan or the average of several, and what is known of it."""
