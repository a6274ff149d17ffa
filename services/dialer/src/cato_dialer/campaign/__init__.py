"""The campaign role: catalog, runs and waves."""
