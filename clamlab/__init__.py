"""Cluster medical scans with a convolutional autoencoder, and see which regions drive each cluster.

Every room is imported on its own (``from clamlab import clam, training``), so that this package
opens at once and loads a heavy library only where its work is done.
"""

from importlib.metadata import version

__version__ = version("clamlab")
