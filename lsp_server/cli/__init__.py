"""The command line: one module per command, each with `run(argv, cwd)`; imported only when asked for."""
