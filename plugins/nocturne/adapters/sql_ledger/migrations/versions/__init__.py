"""One revision a file, numbered: 0001, 0002, ..."""
