;;; ghostfill-diagnostics.el --- Tells a server what others find wrong -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; LSP tells a server nothing of what other servers find.  What Flymake knows,
;; and with it Eglot's servers, or Flycheck, is told before a question whenever
;; it is new.

;;; Code:

(require 'flymake)
(require 'warnings)
(require 'ghostfill-sync)

(defvar flycheck-current-errors)
(declare-function flycheck-error-buffer "ext:flycheck")
(declare-function flycheck-error-level "ext:flycheck")
(declare-function flycheck-error-level-compilation-level "ext:flycheck")
(declare-function flycheck-error-line "ext:flycheck")
(declare-function flycheck-error-message "ext:flycheck")
(declare-function flycheck-error-region-for-mode "ext:flycheck")

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

(defun ghostfill--flymake-findings (beg end)
  "What Flymake knows about the region from BEG to END: (POINT . DIAGNOSTIC)."
  (when (bound-and-true-p flymake-mode)
    (mapcar (lambda (each) (cons (flymake-diagnostic-beg each) (ghostfill--diagnostic each)))
            (flymake-diagnostics beg end))))

(defun ghostfill--flycheck-finding (found)
  "Flycheck's error FOUND in LSP's words: (POINT . DIAGNOSTIC)."
  (let ((region (flycheck-error-region-for-mode found 'symbols)))
    (cons (car region)
          (list :range (ghostfill--range (car region) (cdr region)
                                         (ghostfill--encoding ghostfill--server))
                :severity (- 3 (flycheck-error-level-compilation-level (flycheck-error-level found)))
                :message (ghostfill--sendable
                          (substring-no-properties (or (flycheck-error-message found) "")))))))

(defun ghostfill--flycheck-findings (beg end)
  "What Flycheck, if it is there, knows about the region from BEG to END.
As `ghostfill--flymake-findings' gives it."
  (when (bound-and-true-p flycheck-mode)
    (save-restriction
      (widen)
      (seq-filter (lambda (each) (<= (or beg (point-min)) (car each) (or end (point-max))))
                  (mapcar #'ghostfill--flycheck-finding
                          (seq-filter (lambda (each) (and (eq (flycheck-error-buffer each) (current-buffer))
                                                          (flycheck-error-line each)))
                                      flycheck-current-errors))))))

(defun ghostfill--diagnostics (&optional beg end)
  "What others know about the region from BEG to END, nearest to point first."
  (let ((found (sort (append (ghostfill--flymake-findings beg end)
                             (ghostfill--flycheck-findings beg end))
                     (lambda (a b) (< (abs (- (car a) (point))) (abs (- (car b) (point))))))))
    (vconcat (mapcar #'cdr (seq-take found ghostfill--max-diagnostics)))))

(defun ghostfill--diagnostics-argument ()
  "What others find wrong in the region, else in the line.
The value is a part of the argument of the server's commands, or nil."
  (let ((found (if (use-region-p)
                   (ghostfill--diagnostics (region-beginning) (region-end))
                 (ghostfill--diagnostics (line-beginning-position) (line-end-position)))))
    (and (> (length found) 0) (list :diagnostics found))))

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
                               :diagnostics found)))))

(provide 'ghostfill-diagnostics)
;;; ghostfill-diagnostics.el ends here
