"""One noun per file: each knows one way in which a generated text is worse than nothing, and cuts there.

Every cut is a pure function of (text, hole, path) that only shortens or re-indents. `lsp_server.trim` puts
them in order; nothing here knows of engines, requests or LSP.
"""
