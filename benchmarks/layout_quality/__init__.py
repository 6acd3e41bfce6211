"""Which prompt layout and whether to heal: measured on lines of packages that the model never saw."""
