"""What may be wrong, and what would mend it, as far as that can be told without a model. A file per kind."""
