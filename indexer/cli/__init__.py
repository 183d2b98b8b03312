"""One file per command: parse, wire, print, exit code."""
