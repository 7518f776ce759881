"""Values and decisions of a release. Standard library only, no input or output."""
