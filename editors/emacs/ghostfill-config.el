;;; ghostfill-config.el --- What the user chose for ghostfill -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Options and faces.  What decides which program runs, or where code is sent,
;; is read from global values only: an opened repository has no word in it.

;;; Code:

(defgroup ghostfill nil
  "Ghost text from a language server that knows the whole repository."
  :group 'convenience
  :prefix "ghostfill-")

(defcustom ghostfill-command '("ghostfill" "serve")
  "The language server: a program and its arguments.
A bare name is looked up in the global value of variable `exec-path',
outside of the workspace; an absolute name is taken as it is.
Values local to a buffer or a directory are ignored."
  :type '(repeat string)
  :risky t)

(defcustom ghostfill-settings nil
  "Settings for the server, as a property list.
The keys are those of ghostfill.toml in camel case; a list of strings is
a vector.  For example:

  (:inline (:maxLines 6) :languages (:disabled [\"markdown\"]))

Values local to a buffer or a directory are ignored.  A server gets them
when it starts: see `ghostfill-restart-server'."
  :type 'plist
  :risky t)

(defcustom ghostfill-modes
  '(prog-mode css-mode html-mode mhtml-mode nxml-mode yaml-mode yaml-ts-mode toml-mode
              toml-ts-mode conf-toml-mode latex-mode LaTeX-mode)
  "Where `global-ghostfill-mode' turns `ghostfill-mode' on.
Major modes, or those that these come from; the first that fits decides.
\(not MODE...) turns it off, and t fits everywhere.  For example:

  (setq ghostfill-modes \='((not sql-mode) t))"
  :type '(repeat sexp))

(defcustom ghostfill-auto t
  "Whether to ask while typing; if nil, only commands ask."
  :type 'boolean)

(defcustom ghostfill-idle-delay 0
  "Seconds without a key before the server is asked.
The server waits by itself where that is better, so 0 is good."
  :type 'number)

(defcustom ghostfill-keymap-prefix "C-c \\"
  "Where the commands of `ghostfill-mode' are, or nil for nowhere.
To be set before ghostfill is loaded."
  :type '(choice (const :tag "Nowhere" nil) string))

(defcustom ghostfill-inhibit-functions
  '(ghostfill-popup-visible-p ghostfill-not-inserting-p)
  "Functions without arguments; while one gives non-nil no ghost text is shown."
  :type 'hook)

(defcustom ghostfill-language-ids
  '((c++-mode . "cpp") (c++-ts-mode . "cpp") (cperl-mode . "perl")
    (emacs-lisp-mode . "elisp") (lisp-interaction-mode . "elisp")
    (js-mode . "javascript") (js2-mode . "javascript") (js-ts-mode . "javascript")
    (js-jsx-mode . "javascriptreact") (rjsx-mode . "javascriptreact")
    (tsx-ts-mode . "typescriptreact") (typescript-tsx-mode . "typescriptreact")
    (mhtml-mode . "html") (sh-mode . "shellscript") (bash-ts-mode . "shellscript")
    (latex-mode . "latex") (LaTeX-mode . "latex") (tex-mode . "tex")
    (tuareg-mode . "ocaml") (caml-mode . "ocaml") (nxml-mode . "xml")
    (conf-toml-mode . "toml") (objc-mode . "objective-c") (makefile-gmake-mode . "makefile"))
  "What LSP calls the language of a major mode.
For a mode that is not named here it is the mode's name without its end."
  :type '(alist :key-type symbol :value-type string))

(defface ghostfill-ghost '((t :inherit shadow))
  "Text that is offered and not in the buffer.")

(defun ghostfill--global (option)
  "The value of OPTION that no file and no directory can have changed."
  (default-toplevel-value option))

(defun ghostfill--language-id ()
  "The name of the current buffer's language in LSP."
  (or (alist-get major-mode ghostfill-language-ids)
      (replace-regexp-in-string "\\(?:-ts\\)?-mode\\'" "" (symbol-name major-mode))))

(provide 'ghostfill-config)
;;; ghostfill-config.el ends here
