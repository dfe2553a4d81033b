"""A whole cohort, one subject after another: recorded, resumed, planned and shown."""
