"""Values and decisions, without I/O: tables, paging, mappings, documents and jobs."""
