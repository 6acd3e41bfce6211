"""The benchmarks: `python -m benchmarks.NAME [--quick]`. Nobody imports this room."""
