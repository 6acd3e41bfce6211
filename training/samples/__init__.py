"""From repositories to what a model learns from."""
