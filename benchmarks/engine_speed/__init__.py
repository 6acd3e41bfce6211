"""What a key costs in the engine and in its peers, on the same weights, cores and text."""
