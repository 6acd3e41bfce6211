;;; ghostfill-sync.el --- Keeps a server's copy of a buffer the same -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; didOpen, didChange, didSave and didClose of a buffer.  Changes are collected
;; and sent when somebody is about to ask, or the buffer rests.  Whenever the
;; collected changes are in doubt, the whole text is sent instead.

;;; Code:

(require 'ghostfill-server)

(defconst ghostfill--rest-seconds 0.5
  "Changes are sent after so many seconds without a new one.")

(defvar-local ghostfill--server nil
  "The server of this buffer.")

(defvar-local ghostfill--uri nil
  "The address under which the server has this buffer, nil while it has not.")

(defvar-local ghostfill--version 0
  "How often the server was told a new text.")

(defvar-local ghostfill--changes nil
  "What the server has not been told, the newest first; `all' if that is not known.
Each is (BEG END RANGE) before a change, a content change of LSP after it.")

(defvar-local ghostfill--rest-timer nil
  "Runs out when the buffer rests.")

(cl-defgeneric ghostfill--flush-to (connection)
  "Tell CONNECTION the text of the current buffer.")

(defun ghostfill--flush ()
  "The server knows the text of this buffer when it gets what is sent next."
  (when-let ((connection (and ghostfill--server (ghostfill-server-connection ghostfill--server))))
    (ghostfill--flush-to connection)))

(defun ghostfill--whole-text ()
  "The text of this buffer, narrowed or not."
  (save-restriction
    (widen)
    (ghostfill--sendable (buffer-substring-no-properties (point-min) (point-max)))))

(defun ghostfill--incremental-p ()
  "Whether the server accepts parts of a text."
  (let ((sync (plist-get (ghostfill-server-capabilities ghostfill--server) :textDocumentSync)))
    (eql 2 (if (integerp sync) sync (plist-get sync :change)))))

(defun ghostfill--content-changes ()
  "What is to be told, as LSP wants it, the oldest first."
  (if (and (listp ghostfill--changes) (ghostfill--incremental-p)
           (not (seq-some (lambda (change) (integerp (car change))) ghostfill--changes)))
      (vconcat (reverse ghostfill--changes))
    (vector (list :text (ghostfill--whole-text)))))

(cl-defmethod ghostfill--flush-to ((_connection ghostfill-connection))
  "Tell our server the new text of the current buffer."
  (when (and ghostfill--uri ghostfill--changes (ghostfill--running-p ghostfill--server))
    (let ((changes (ghostfill--content-changes)))
      (setq ghostfill--changes nil)
      (cl-incf ghostfill--version)
      (ghostfill--notify ghostfill--server :textDocument/didChange
                         (list :textDocument (list :uri ghostfill--uri :version ghostfill--version)
                               :contentChanges changes)))))

(defun ghostfill--before-change (beg end)
  "The text from BEG to END is about to change."
  (when (and ghostfill--uri (listp ghostfill--changes))
    (push (list beg end (ghostfill--range beg end (ghostfill--encoding ghostfill--server)))
          ghostfill--changes)))

(defun ghostfill--after-change (beg end length)
  "LENGTH characters at BEG have become those from BEG to END."
  (when ghostfill--uri
    (pcase (and (listp ghostfill--changes) (car ghostfill--changes))
      (`(,(pred (eql beg)) ,(pred (eql (+ beg length))) ,range)
       (setcar ghostfill--changes
               (list :range range
                     :text (ghostfill--sendable (save-restriction
                                                  (widen)
                                                  (buffer-substring-no-properties beg end))))))
      (_ (setq ghostfill--changes 'all)))
    (ghostfill--rest-later)))

(defun ghostfill--rest-later ()
  "Tell the server the new text once the buffer rests."
  (when ghostfill--rest-timer (cancel-timer ghostfill--rest-timer))
  (let ((buffer (current-buffer)))
    (setq ghostfill--rest-timer
          (run-with-timer ghostfill--rest-seconds nil
                          (lambda ()
                            (when (buffer-live-p buffer)
                              (with-current-buffer buffer (ghostfill--flush))))))))

(cl-defgeneric ghostfill--document-of (_connection)
  "The current buffer as LSP names it on a connection of ours."
  (list :uri (or ghostfill--uri (ghostfill--uri buffer-file-name))))

(defun ghostfill--text-document ()
  "The current buffer as LSP names it."
  (ghostfill--document-of (ghostfill-server-connection ghostfill--server)))

(defun ghostfill--open ()
  "Tell the server of this buffer its text, if it does not know it."
  (when (and (not ghostfill--uri) buffer-file-name (ghostfill--running-p ghostfill--server)
             (ghostfill-connection-p (ghostfill-server-connection ghostfill--server)))
    (setq ghostfill--uri (ghostfill--uri buffer-file-name)
          ghostfill--changes nil)
    (cl-incf ghostfill--version)
    (ghostfill--notify ghostfill--server :textDocument/didOpen
                       (list :textDocument (list :uri ghostfill--uri
                                                 :version ghostfill--version
                                                 :languageId (ghostfill--language-id)
                                                 :text (ghostfill--whole-text))))))

(defun ghostfill--close ()
  "The server may forget this buffer."
  (when ghostfill--uri
    (ghostfill--notify ghostfill--server :textDocument/didClose
                       (list :textDocument (ghostfill--text-document))))
  (setq ghostfill--uri nil ghostfill--changes nil)
  (when ghostfill--rest-timer
    (cancel-timer ghostfill--rest-timer)
    (setq ghostfill--rest-timer nil)))

(defun ghostfill--saved ()
  "This buffer is on the disk now."
  (when ghostfill--uri
    (ghostfill--flush)
    (ghostfill--notify ghostfill--server :textDocument/didSave
                       (list :textDocument (ghostfill--text-document)))))

(defun ghostfill--distrust ()
  "Too much may have changed at once: the whole text is sent next."
  (when ghostfill--uri
    (setq ghostfill--changes 'all)
    (ghostfill--rest-later)))

(defun ghostfill--sync-hooks (add-or-remove)
  "Call ADD-OR-REMOVE, `add-hook' or `remove-hook', for the hooks of the buffer."
  (pcase-dolist (`(,hook . ,function)
                 '((before-change-functions . ghostfill--before-change)
                   (after-change-functions . ghostfill--after-change)
                   (after-save-hook . ghostfill--saved)
                   (after-revert-hook . ghostfill--distrust)))
    (if (eq add-or-remove #'add-hook)
        (add-hook hook function nil t)
      (remove-hook hook function t))))

(provide 'ghostfill-sync)
;;; ghostfill-sync.el ends here
