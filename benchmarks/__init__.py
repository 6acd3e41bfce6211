"""The benchmarks that keep our promises measured. Nobody imports this room."""
