"""Assay: makes, proves and tracks golden VM images on Azure."""

__version__ = "0.1.0"
