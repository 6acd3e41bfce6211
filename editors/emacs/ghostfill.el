;;; ghostfill.el --- Ghost text that knows the whole repository -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;; Author: The ghostfill authors
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1"))
;; Keywords: convenience, tools, languages

;;; Commentary:

;; Shows what the ghostfill language server offers as ghost text at the cursor,
;; beside whatever Eglot or lsp-mode do in the buffer.
;;
;;   (global-ghostfill-mode)
;;
;; While ghost text is shown TAB accepts it, M-f or M-<right> a word, C-e or
;; M-<down> a line; M-n and M-p show other completions, C-g hides it.
;; C-c \ begins the other commands.  Something wrong: M-x ghostfill-doctor.

;;; Code:

(require 'ghostfill-accept)
(require 'ghostfill-diagnostics)
(require 'ghostfill-switches)

(autoload 'ghostfill-explain "ghostfill-explain" "Explain the code at point or in the region." t)
(autoload 'ghostfill-fix "ghostfill-edits" "Fix what is wrong at point or in the region." t)
(autoload 'ghostfill-fix-with-note "ghostfill-edits" "Change the code at point as a note says." t)
(autoload 'ghostfill-document "ghostfill-edits" "Write the missing docstring at point." t)
(autoload 'ghostfill-show-context "ghostfill-context" "Show what the model would see at point." t)
(autoload 'ghostfill-doctor "ghostfill-doctor" "Check whether ghostfill can work here." t)
(autoload 'ghostfill-cancel "ghostfill-edits" "Stop the fix or the docstring that is being made." t)
(autoload 'ghostfill--apply-edit "ghostfill-edits")

(defvar ghostfill-mode)

;;;; Keys

(defvar ghostfill-shown-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'ghostfill-accept)
    (define-key map (kbd "<tab>") #'ghostfill-accept)
    (define-key map (kbd "M-f") #'ghostfill-accept-word)
    (define-key map (kbd "M-<right>") #'ghostfill-accept-word)
    (define-key map (kbd "C-e") #'ghostfill-accept-line-at-end)
    (define-key map (kbd "M-<down>") #'ghostfill-accept-line)
    (define-key map (kbd "M-n") #'ghostfill-next)
    (define-key map (kbd "M-p") #'ghostfill-previous)
    (define-key map [remap keyboard-quit] #'ghostfill-dismiss)
    (define-key map [remap keyboard-escape-quit] #'ghostfill-dismiss)
    map)
  "Keys that are in force only while ghost text is shown.")

(defvar ghostfill-command-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "\\") #'ghostfill-complete)
    (define-key map (kbd "d") #'ghostfill-document)
    (define-key map (kbd "e") #'ghostfill-explain)
    (define-key map (kbd "f") #'ghostfill-fix)
    (define-key map (kbd "F") #'ghostfill-fix-with-note)
    (define-key map (kbd "l") #'ghostfill-toggle-language)
    (define-key map (kbd "t") #'ghostfill-toggle)
    (define-key map (kbd "x") #'ghostfill-show-context)
    (define-key map (kbd "z") #'ghostfill-snooze)
    (define-key map (kbd "?") #'ghostfill-status)
    (define-key map (kbd "C-g") #'ghostfill-cancel)
    map)
  "The commands of `ghostfill-mode', behind `ghostfill-keymap-prefix'.")

(defvar ghostfill-mode-map
  (let ((map (make-sparse-keymap)))
    (when ghostfill-keymap-prefix
      (define-key map (kbd ghostfill-keymap-prefix) ghostfill-command-map))
    map)
  "Keys of `ghostfill-mode'.")

(defvar ghostfill--emulation-alist `((ghostfill--is-shown . ,ghostfill-shown-map))
  "Puts the keys of ghost text before those of all minor modes.")

;;;; After every command

(defvar-local ghostfill--tick nil
  "The tick of this buffer before the command that runs.")

(defconst ghostfill--quiet-commands '(undo undo-only undo-redo vundo evil-undo evil-redo revert-buffer)
  "After these nobody waits for a completion.")

(defun ghostfill--pre-command ()
  "Remember the text."
  (setq ghostfill--tick (buffer-chars-modified-tick)))

(defun ghostfill--post-command ()
  "Follow the cursor, and ask if the command changed the text."
  (ghostfill--follow)
  (unless (eql ghostfill--tick (buffer-chars-modified-tick))
    (setq ghostfill--tick (buffer-chars-modified-tick))
    (if (and ghostfill-auto (ghostfill--can-show-p)
             (not (memq this-command ghostfill--quiet-commands)))
        (ghostfill--ask-soon)
      (ghostfill--cancel-asked))))

(defun ghostfill--popup-changed (&rest _)
  "A completion popup has come or gone."
  (if (ghostfill--can-show-p) (ghostfill--refresh) (ghostfill--stop)))

(defun ghostfill--on-window-change (&rest _)
  "The user may look at another buffer."
  (unless (minibufferp (window-buffer))
    (let ((buffer (window-buffer)))
      (when (and ghostfill--offer
                 (not (eq buffer (ghostfill-place-buffer (ghostfill-offer-place ghostfill--offer)))))
        (ghostfill--stop))
      (with-current-buffer buffer
        (when (and ghostfill-mode ghostfill--uri)
          (ghostfill--notify ghostfill--server :textDocument/didFocus
                             (list :textDocument (ghostfill--text-document))))))))

(defconst ghostfill--local-hooks
  '((pre-command-hook . ghostfill--pre-command)
    (post-command-hook . ghostfill--post-command)
    (post-self-insert-hook . ghostfill--follow-key)
    (completion-in-region-mode-hook . ghostfill--popup-changed)
    (company-completion-started-hook . ghostfill--popup-changed)
    (company-after-completion-hook . ghostfill--popup-changed)
    (after-set-visited-file-name-hook . ghostfill--reattach)
    (change-major-mode-hook . ghostfill--detach)
    (kill-buffer-hook . ghostfill--detach))
  "What `ghostfill-mode' does in its buffer.")

;;;; Buffers and servers

(defvar ghostfill-find-server-function #'ignore
  "Gives the server of the current buffer where another package runs it.")

(defun ghostfill--attach ()
  "Give this buffer its server."
  (when (and buffer-file-name (not (file-remote-p buffer-file-name)) (not ghostfill--server))
    (setq ghostfill--server (or (funcall ghostfill-find-server-function)
                                (ghostfill--server-for (ghostfill--root buffer-file-name))))
    (ghostfill--open)))

(defun ghostfill--detach ()
  "Take its server from this buffer."
  (when (and ghostfill--offer
             (eq (current-buffer) (ghostfill-place-buffer (ghostfill-offer-place ghostfill--offer))))
    (ghostfill--stop))
  (ghostfill--close)
  (setq ghostfill--server nil ghostfill--told-diagnostics nil))

(defun ghostfill--reattach ()
  "The file of this buffer has another name."
  (ghostfill--detach)
  (ghostfill--attach))

(defun ghostfill--open-all (server)
  "SERVER has started: tell it its buffers, and ask what was asked meanwhile."
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when (and ghostfill-mode (eq ghostfill--server server))
        (setq ghostfill--uri nil ghostfill--told-diagnostics nil)
        (ghostfill--open))))
  (ghostfill--on-ready server))

;;;; Modes

(defun ghostfill--mode-line ()
  "The state of this buffer's server for the mode line."
  (let* ((server ghostfill--server)
         (label (ghostfill--label))
         (words (cond ((not server) "off here")
                      ((ghostfill-server-problem server) "not running")
                      ((not (ghostfill--running-p server)) "starting")
                      (t (ghostfill--status-words (ghostfill-server-status server))))))
    (list " ghostfill:"
          (propertize (string-replace "%" "%%" (if (string-empty-p label) words
                                                 (concat words " " label)))
                      'help-echo (ghostfill--sentence)))))

(defun ghostfill--sentence ()
  "The state of this buffer, in a sentence."
  (let* ((status (and ghostfill--server (ghostfill-server-status ghostfill--server)))
         (message (and status (ghostfill-status-message status))))
    (or (ghostfill--absence)
        (and message (not (string-empty-p message)) message)
        (if (and (ghostfill--running-p ghostfill--server)
                 (not (equal (ghostfill-status-kind status) "Starting")))
            "ready"
          "the server is starting"))))

(defun ghostfill-status ()
  "Say how ghostfill is in this buffer."
  (interactive)
  (let ((words (and ghostfill--server (ghostfill--running-p ghostfill--server)
                    (ghostfill--status-words (ghostfill-server-status ghostfill--server)))))
    (message "ghostfill: %s%s%s" (if words (concat words ": ") "") (ghostfill--sentence)
             (if ghostfill--server
                 (format " (workspace %s)"
                         (abbreviate-file-name (ghostfill-server-root ghostfill--server)))
               ""))))

;;;###autoload
(define-minor-mode ghostfill-mode
  "Show ghost text from the ghostfill language server at the cursor.

While it is shown:
\\<ghostfill-shown-map>\\[ghostfill-accept] accepts it, \
\\[ghostfill-accept-word] a word, \\[ghostfill-accept-line] a line;
\\[ghostfill-next] and \\[ghostfill-previous] show others; \
\\[keyboard-quit] hides it."
  :lighter (:eval (ghostfill--mode-line))
  :keymap ghostfill-mode-map
  (pcase-dolist (`(,hook . ,function) ghostfill--local-hooks)
    (if ghostfill-mode
        (add-hook hook function -90 t)
      (remove-hook hook function t)))
  (ghostfill--sync-hooks (if ghostfill-mode #'add-hook #'remove-hook))
  (if (not ghostfill-mode)
      (ghostfill--detach)
    (add-to-list 'emulation-mode-map-alists 'ghostfill--emulation-alist)
    (add-hook 'ghostfill-ready-hook #'ghostfill--open-all)
    (add-hook 'window-selection-change-functions #'ghostfill--on-window-change)
    (add-hook 'window-buffer-change-functions #'ghostfill--on-window-change)
    (setq ghostfill-apply-edit-function #'ghostfill--apply-edit)
    (ghostfill--attach)))

(defun ghostfill--wanted-p ()
  "Whether `ghostfill-modes' names the major mode of this buffer."
  (catch 'decided
    (dolist (mode ghostfill-modes)
      (pcase mode
        ('t (throw 'decided t))
        (`(not . ,modes) (when (apply #'derived-mode-p modes) (throw 'decided nil)))
        (_ (when (derived-mode-p mode) (throw 'decided t)))))))

(defun ghostfill--turn-on ()
  "Turn on `ghostfill-mode' in the buffer of a file, if the user wants that."
  (when (and buffer-file-name (ghostfill--wanted-p))
    (ghostfill-mode)))

;;;###autoload
(define-globalized-minor-mode global-ghostfill-mode ghostfill-mode ghostfill--turn-on
  :group 'ghostfill)

(provide 'ghostfill)
;;; ghostfill.el ends here
