"""The mapping of the new index: type rules, overlay, analyzers, and the difference from a live index."""
