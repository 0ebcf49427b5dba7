"""A file, a frame or a card becomes a table: formats, cells, columns, their kinds and roles, the target."""
