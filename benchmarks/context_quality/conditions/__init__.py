"""One way to choose context per file, all behind `Condition`."""
