"""One resolver per language: import statements -> workspace files."""
