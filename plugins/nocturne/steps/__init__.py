"""One use case for each task of the night, written against ports."""
