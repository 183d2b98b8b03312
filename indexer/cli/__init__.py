"""The commands: a file each for parsing, wiring and the exit code; `render` prints."""
