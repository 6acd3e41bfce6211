"""`python -P -m lsp_server` is the console script `ghostfill`."""

import sys

from lsp_server.entry import main

if __name__ == "__main__":
    sys.exit(main())
