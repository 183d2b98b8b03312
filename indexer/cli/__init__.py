"""The commands: one file each, and what they share. Parse, wire, print, exit code."""
