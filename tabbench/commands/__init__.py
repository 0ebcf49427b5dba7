"""The commands, a file a group; `cli` puts them together."""
