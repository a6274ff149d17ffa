"""Who is called when: catalog, runs and waves."""
