"""A subject withdraws: what was remembered of it, and how nothing of it stays in the study."""
