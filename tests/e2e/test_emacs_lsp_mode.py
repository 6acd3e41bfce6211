"""The README's registration for users of lsp-mode: ghostfill as an add-on, its actions in lsp-mode's menu."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cli_home import Home
from emacs_driver import PACKAGE, emacs, emacs_home, run_batch
from story import HEAD, write_workspace

SITE = Path("/usr/share/emacs/site-lisp/elpa")
TEST = """
(progn
  (add-to-list 'package-directory-list "{site}")
  (package-initialize)
  (setq lsp-session-file "{folder}/session" lsp-auto-guess-root t lsp-enable-snippet nil
        lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil lsp-enable-file-watchers nil)
  (require 'lsp-mode)
  (setq lsp-client-packages nil)
  {snippet}
  (set-default 'ghostfill-command '({command}))
  (lsp-workspace-folders-add "{workspace}")
  (switch-to-buffer (find-file-noselect "{main}"))
  (goto-char (point-min))
  (search-forward "report")
  (lsp)
  (let ((end (+ (float-time) 60)))
    (while (and (not (and (lsp-workspaces)
                          (eq 'initialized (lsp--workspace-status (car (lsp-workspaces))))))
                (< (float-time) end))
      (accept-process-output nil 0.05)))
  (princ (mapconcat (lambda (action) (gethash "title" action "?"))
                    (lsp-request "textDocument/codeAction" (lsp--text-document-code-action-params))
                    "; ")))
"""


def test_ghostfills_actions_are_in_the_menu(home: Home, tmp_path: Path) -> None:
    program = emacs("stable")
    if not list(SITE.glob("lsp-mode-*")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "lsp-mode is not installed (apt-get install elpa-lsp-mode)"
        )
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    found = re.search(
        r"^```elisp\n(\(require 'ghostfill\)\n\(lsp-register-client.*?)^```", readme, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    main = write_workspace(tmp_path / "shop", HEAD + "    return None\n")
    code = TEST.format(
        site=SITE,
        folder=tmp_path,
        snippet=found[1],
        command=" ".join(f'"{word}"' for word in home.command("serve")),
        workspace=main.parent,
        main=main,
    )
    done = run_batch(
        program,
        *("-L", str(PACKAGE), "--eval", code),
        environment=emacs_home(tmp_path / "home", home.environment()),
        folder=tmp_path,
    )
    assert "Explain 'report' with ghostfill" in done.stdout, done.stderr
