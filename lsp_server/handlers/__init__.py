"""One file per group of LSP methods; each has `register(server)`."""
