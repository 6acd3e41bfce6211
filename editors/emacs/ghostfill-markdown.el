;;; ghostfill-markdown.el --- Markdown as a reader wants it -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Colours what the server writes, makes its links to buttons and hides the
;; signs.  The text stays as it is: only its properties change.

;;; Code:

(require 'button)
(require 'ghostfill-lsp)

(defun ghostfill--follow-link (button)
  "Open the target of BUTTON: a file, or an address in the browser."
  (let ((target (button-get button 'ghostfill-target)))
    (if (string-match "\\`\\(file:///[^#]*\\)\\(?:#L\\([0-9]+\\).*\\)?\\'" target)
        (let ((line (match-string 2 target)))
          (find-file-other-window (ghostfill--file (match-string 1 target)))
          (when line
            (goto-char (point-min))
            (forward-line (1- (string-to-number line)))))
      (browse-url target))))

(defconst ghostfill--fence "^\\(\\(```+\\).*\n\\)\\(\\(?:.*\n\\)*?\\)\\(\\2 *\\(?:\n\\|\\'\\)\\)"
  "A block of code in Markdown, between two signs.")

(defconst ghostfill--sign "\\\\[[:punct:]]\\|\\(`+\\)\\|\\(\\*\\*?\\)\\|\\(\\[\\)"
  "What means something in a line: an escape, code, emphasis or a link begins.")

(defun ghostfill--hide-sign (beg end)
  "Hide the text from BEG to END."
  (put-text-property beg end 'invisible t))

(defun ghostfill--decorate-between (sign regexp face)
  "If REGEXP and another SIGN come next, hide both, with FACE between them.
Moves behind code, in which nothing means anything."
  (when (looking-at (format "\\(%s\\)\\(%s\\)\\(?:[^%c]\\|$\\)" regexp (regexp-quote sign) (aref sign 0)))
    (add-face-text-property (match-beginning 1) (match-end 1) face)
    (ghostfill--hide-sign (- (point) (length sign)) (point))
    (ghostfill--hide-sign (match-beginning 2) (match-end 2))
    (when (string-prefix-p "`" sign) (goto-char (match-end 2)))))

(defconst ghostfill--link
  "\\(\\[\\(`*\\)\\)\\([^]\n]+?\\)\\(\\2\\](\\(\\(?:file:///\\|https?://\\)[^)\n ]+\\))\\)"
  "A link in Markdown, its label perhaps as code.")

(defun ghostfill--decorate-link ()
  "Make a button of the link at point, if there is one, and move behind it."
  (when (looking-at ghostfill--link)
    (let ((target (match-string-no-properties 5)))
      (ghostfill--hide-sign (match-beginning 1) (match-end 1))
      (ghostfill--hide-sign (match-beginning 4) (match-end 4))
      (make-text-button (match-beginning 3) (match-end 3) 'ghostfill-target target 'help-echo target
                        'follow-link t 'action #'ghostfill--follow-link)
      (goto-char (match-end 4)))))

(defun ghostfill--decorate-prose (beg end)
  "Colour the Markdown from BEG to END, no block of code, and hide its signs."
  (goto-char beg)
  (while (re-search-forward "^\\(#+ \\)\\(.*\\)$" end t)
    (add-face-text-property (match-beginning 2) (match-end 2) 'bold)
    (ghostfill--hide-sign (match-beginning 1) (match-end 1)))
  (goto-char beg)
  (while (re-search-forward ghostfill--sign end t)
    (cond
     ((get-text-property (match-beginning 0) 'invisible)) ; the end of emphasis
     ((match-beginning 1)
      (ghostfill--decorate-between (match-string 1) "[^\n]*?[^`\n]" 'font-lock-constant-face))
     ((match-beginning 2)
      (ghostfill--decorate-between (match-string 2) "[^* \n]\\(?:[^*\n]*[^* \n]\\)?"
                                   (if (equal (match-string 2) "*") 'italic 'bold)))
     ((match-beginning 3)
      (goto-char (match-beginning 3))
      (or (ghostfill--decorate-link) (forward-char)))
     (t (ghostfill--hide-sign (match-beginning 0) (1+ (match-beginning 0)))))))

(defun ghostfill--decorate ()
  "Colour the Markdown of the current buffer and hide its signs."
  (set-text-properties (point-min) (point-max) nil)
  (goto-char (point-min))
  (let ((beg (point)))
    (while (re-search-forward ghostfill--fence nil t)
      (add-face-text-property (match-beginning 3) (match-end 3) 'font-lock-string-face)
      (ghostfill--hide-sign (match-beginning 1) (match-end 1))
      (ghostfill--hide-sign (match-beginning 4) (match-end 4))
      (save-excursion
        (save-match-data (ghostfill--decorate-prose beg (match-beginning 0))))
      (setq beg (point)))
    (ghostfill--decorate-prose beg (point-max))))

(provide 'ghostfill-markdown)
;;; ghostfill-markdown.el ends here
