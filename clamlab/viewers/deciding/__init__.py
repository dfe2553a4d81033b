"""What a person decides about scans and columns: asked one by one, kept in tables."""
