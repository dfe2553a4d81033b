"""Chests whose every voxel is known: drawn ones of many shapes, and diseases painted into any."""
