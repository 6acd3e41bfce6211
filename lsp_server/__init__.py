"""The language server room: LSP, open buffers, settings, the life of a keystroke, the command line."""
