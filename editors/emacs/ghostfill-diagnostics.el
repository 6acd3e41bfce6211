;;; ghostfill-diagnostics.el --- Tells a server what others find wrong -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; LSP tells a server nothing of what other servers find.  What Flymake knows,
;; and with it Eglot's servers, is told before a question whenever it is new.

;;; Code:

(require 'flymake)
(require 'warnings)
(require 'ghostfill-sync)

(defconst ghostfill--max-diagnostics 50
  "No more are told; those around the cursor.")

(defvar-local ghostfill--told-diagnostics nil
  "What the server was told last.")

(defun ghostfill--severity (diagnostic)
  "The severity of Flymake's DIAGNOSTIC as LSP numbers it."
  (let ((level (flymake--severity (flymake-diagnostic-type diagnostic))))
    (cond ((>= level (warning-numeric-level :error)) 1)
          ((>= level (warning-numeric-level :warning)) 2)
          (t 3))))

(defun ghostfill--diagnostic (diagnostic)
  "Flymake's DIAGNOSTIC in LSP's words."
  (list :range (ghostfill--range (flymake-diagnostic-beg diagnostic)
                                 (flymake-diagnostic-end diagnostic)
                                 (ghostfill--encoding ghostfill--server))
        :severity (ghostfill--severity diagnostic)
        :message (ghostfill--sendable
                  (substring-no-properties (flymake-diagnostic-text diagnostic)))))

(defun ghostfill--diagnostics (&optional beg end)
  "What Flymake knows about the region from BEG to END, nearest to point first."
  (when (bound-and-true-p flymake-mode)
    (let ((found (sort (copy-sequence (flymake-diagnostics beg end))
                       (lambda (a b)
                         (< (abs (- (flymake-diagnostic-beg a) (point)))
                            (abs (- (flymake-diagnostic-beg b) (point))))))))
      (vconcat (mapcar #'ghostfill--diagnostic (seq-take found ghostfill--max-diagnostics))))))

(defun ghostfill--essence (diagnostics)
  "The part of DIAGNOSTICS that is told: not where on a line they stand."
  (sort (mapcar (lambda (each)
                  (cons (plist-get (plist-get (plist-get each :range) :start) :line)
                        (plist-get each :message)))
                diagnostics)
        (lambda (a b) (or (< (car a) (car b))
                          (and (= (car a) (car b)) (string< (cdr a) (cdr b)))))))

(defun ghostfill--tell-diagnostics ()
  "Tell the server of this buffer what is wrong in it, if that is new."
  (let* ((found (ghostfill--diagnostics))
         (essence (ghostfill--essence found)))
    (unless (equal essence ghostfill--told-diagnostics)
      (setq ghostfill--told-diagnostics essence)
      (ghostfill--flush)
      (ghostfill--notify ghostfill--server :ghostfill/didChangeDiagnostics
                         (list :uri (plist-get (ghostfill--text-document) :uri)
                               :diagnostics (or found []))))))

(provide 'ghostfill-diagnostics)
;;; ghostfill-diagnostics.el ends here
