"""Files of every kind that the library reads, whole and damaged, and what becomes of each."""
