"""The mapping of the new index: type rules, overlay, analyzers, and how a live index differs."""
