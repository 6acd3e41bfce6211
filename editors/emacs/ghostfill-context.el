;;; ghostfill-context.el --- What the next completion would send -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Shows the server's report on the prompt at point: which files, how many
;; tokens, why, and the text of each piece under a heading that folds.
;; Knows the report, not how it is made.

;;; Code:

(require 'button)
(require 'outline)
(require 'ghostfill-accept)

(defvar-local ghostfill--context-page nil
  "The page for a browser that shows the same.")

(defvar ghostfill-context-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap button-buffer-map special-mode-map))
    (define-key map (kbd "b") #'ghostfill-context-browse)
    (define-key map (kbd "RET") #'outline-toggle-children)
    map)
  "Keys of `ghostfill-context-mode'.")

(define-derived-mode ghostfill-context-mode special-mode "Context"
  "What the model would see.

\\{ghostfill-context-mode-map}"
  (setq-local outline-regexp "> ")
  (outline-minor-mode)
  (setq truncate-lines t))

(defun ghostfill-context-browse ()
  "Open the same as a page in a browser."
  (interactive)
  (browse-url-of-file ghostfill--context-page))

(defun ghostfill--one-line (text)
  "TEXT without what would break a line of the report."
  (replace-regexp-in-string "[\0\r\n]" " " (or text "") t t))

(defun ghostfill--aligned (rows)
  "The ROWS, lists of cells, as lines in columns; a number stands right."
  (let* ((texts (mapcar (lambda (row) (mapcar (lambda (cell) (format "%s" cell)) row)) rows))
         (widths (apply #'cl-mapcar (lambda (&rest cells) (apply #'max (mapcar #'string-width cells)))
                        texts)))
    (cl-mapcar
     (lambda (row cells)
       (string-trim-right
        (string-join
         (cl-mapcar (lambda (cell text width)
                      (let ((blanks (make-string (- width (string-width text)) ?\s)))
                        (if (numberp cell) (concat blanks text) (concat text blanks))))
                    row cells widths)
         "  ")))
     rows texts)))

(defun ghostfill--pieces (report)
  "The pieces of the prompt of REPORT in order, those that are not sent last."
  (sort (append (plist-get report :segments) (plist-get report :around) nil)
        (lambda (a b) (< (or (plist-get a :start) most-positive-fixnum)
                         (or (plist-get b :start) most-positive-fixnum)))))

(defun ghostfill--context-rows (report)
  "The table of REPORT."
  (append
   '(("tokens" "cached" "part" "kind" "file" "reason"))
   (mapcar (lambda (piece)
             (list (plist-get piece :num_tokens)
                   (if (plist-get piece :start) (plist-get piece :cached) "not sent")
                   (plist-get piece :section) (plist-get piece :kind)
                   (ghostfill--one-line (plist-get piece :path))
                   (ghostfill--one-line (plist-get piece :reason))))
           (ghostfill--pieces report))
   (mapcar (lambda (file)
             (list (plist-get file :num_tokens) "" "left out" ""
                   (ghostfill--one-line (plist-get file :path))
                   (ghostfill--one-line (plist-get file :reason))))
           (plist-get report :left_out))))

(defun ghostfill--insert-piece (piece)
  "Insert the text of PIECE under a heading."
  (insert (propertize (format "> %s (%s, %d tokens)" (ghostfill--one-line (plist-get piece :path))
                              (plist-get piece :section) (plist-get piece :num_tokens))
                      'face 'bold)
          "\n")
  (dolist (line (split-string (string-remove-suffix "\n" (plist-get piece :text)) "\n"))
    (insert "  " (ghostfill--one-line line) "\n")))

(defun ghostfill--insert-report (report)
  "Insert REPORT into the current buffer."
  (insert (format "%s:%d:%d  " (ghostfill--one-line (plist-get report :file))
                  (plist-get report :line) (plist-get report :column)))
  (insert-text-button "open as a page" 'follow-link t
                      'action (lambda (_) (ghostfill-context-browse)))
  (insert (format "\nprompt %d tokens of %d with the answer, %d of other files, %s cached\n"
                  (plist-get report :prompt_tokens) (plist-get report :limit_tokens)
                  (plist-get report :num_tokens) (or (plist-get report :cached_tokens) "unknown")))
  (seq-do (lambda (note) (insert (ghostfill--one-line note) "\n")) (plist-get report :notes))
  (insert "\n" (string-join (ghostfill--aligned (ghostfill--context-rows report)) "\n") "\n\n")
  (mapc #'ghostfill--insert-piece (ghostfill--pieces report)))

(defun ghostfill--show-report (result)
  "Show RESULT, the server's answer."
  (with-current-buffer (get-buffer-create "*ghostfill context*")
    (let ((inhibit-read-only t))
      (erase-buffer)
      (ghostfill-context-mode)
      (setq ghostfill--context-page (plist-get result :path))
      (ghostfill--insert-report (plist-get result :report))
      (outline-hide-body)
      (goto-char (point-min)))
    (pop-to-buffer (current-buffer))))

;;;###autoload
(defun ghostfill-show-context ()
  "Show which files the model would see at point, and why."
  (interactive)
  (ghostfill--execute (ghostfill--current-server) "ghostfill.showContext"
                      (append (ghostfill--cursor) '(:show :json-false))
                      (lambda (result) (run-with-timer 0 nil #'ghostfill--show-report result))))

(provide 'ghostfill-context)
;;; ghostfill-context.el ends here
