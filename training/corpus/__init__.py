"""From downloaded packages to clean repositories in dependency order."""
