"""Clusters and their number: averages, what sets them apart, and the way from one to another."""
