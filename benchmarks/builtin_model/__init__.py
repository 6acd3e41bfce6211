"""How well the built-in model reads the repository around the cursor, against the weights it replaces."""
