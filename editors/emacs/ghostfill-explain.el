;;; ghostfill-explain.el --- An explanation, while it is being written -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Shows what the server says about a piece of code in a buffer that fills while
;; the model writes.  Quitting or killing the buffer stops the model.

;;; Code:

(require 'button)
(require 'ghostfill-accept)

(defvar-local ghostfill--explain-request nil
  "What fills this buffer: (SERVER TOKEN . ID), nil once it is all there.")

(defvar ghostfill--num-explained 0
  "Makes each token a new one.")

(defvar ghostfill-explain-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap button-buffer-map special-mode-map))
    (define-key map (kbd "C-c C-k") #'ghostfill-explain-cancel)
    map)
  "Keys of `ghostfill-explain-mode'.")

(define-derived-mode ghostfill-explain-mode special-mode "Explain"
  "What ghostfill says about a piece of code.

\\{ghostfill-explain-mode-map}"
  (visual-line-mode)
  (add-hook 'kill-buffer-hook #'ghostfill-explain-cancel nil t)
  (add-hook 'quit-window-hook #'ghostfill-explain-cancel nil t))

(defun ghostfill-explain-cancel ()
  "Stop the explanation that is being written."
  (interactive)
  (when ghostfill--explain-request
    (pcase-let ((`(,server ,token . ,id) ghostfill--explain-request))
      (ghostfill--cancel server id)
      (ghostfill--explain-over server token)
      (setq header-line-format "Cancelled."))))

(defun ghostfill--explain-over (server token)
  "Nothing more comes from SERVER for TOKEN into the current buffer."
  (setf (ghostfill-server-listeners server)
        (assoc-delete-all token (ghostfill-server-listeners server)))
  (setq ghostfill--explain-request nil header-line-format nil))

;;;; Text

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

(defun ghostfill--linkify ()
  "Make the links of the current buffer, in Markdown, to buttons."
  (goto-char (point-min))
  (while (re-search-forward
          "\\[\\([^]\n]+\\)\\](\\(\\(?:file:///\\|https?://\\)[^)\n ]+\\))" nil t)
    (let ((label (match-string 1)) (target (match-string 2)))
      (replace-match "" t t)
      (insert-text-button label 'ghostfill-target target 'help-echo target
                          'follow-link t 'action #'ghostfill--follow-link))))

(defun ghostfill--decorate ()
  "Colour the Markdown of the current buffer and hide its signs."
  (pcase-dolist (`(,regexp ,face)
                 '(("^\\(#+ \\)\\(.*\\)$" bold)
                   ("\\(\\*\\*\\)\\([^*\n]+\\)\\(\\*\\*\\)" bold)
                   ("\\(`\\)\\([^`\n]+\\)\\(`\\)" font-lock-constant-face)
                   ("^\\(```.*\n\\)\\(\\(?:.*\n\\)*?\\)\\(```\n\\)" font-lock-string-face)))
    (goto-char (point-min))
    (while (re-search-forward regexp nil t)
      (add-face-text-property (match-beginning 2) (match-end 2) face)
      (dolist (mark '(1 3))
        (when (match-beginning mark)
          (put-text-property (match-beginning mark) (match-end mark) 'invisible t)))))
  (ghostfill--linkify))

(defun ghostfill--explain-fill (buffer text &optional files)
  "Let BUFFER show TEXT, and links to FILES."
  (with-current-buffer buffer
    (let ((inhibit-read-only t)
          (places (mapcar (lambda (window) (list window (window-point window) (window-start window)))
                          (get-buffer-window-list buffer nil t)))
          (point (point)))
      (erase-buffer)
      (insert text)
      (ghostfill--decorate)
      (goto-char (point-max))
      (when (> (length files) 0)
        (insert "\n\nFiles:\n")
        (seq-do (lambda (file)
                  (insert "  ")
                  (insert-text-button (plist-get file :path)
                                      'ghostfill-target (plist-get file :uri)
                                      'follow-link t 'action #'ghostfill--follow-link)
                  (insert "\n"))
                files))
      (goto-char (min point (point-max)))
      (pcase-dolist (`(,window ,at ,start) places)
        (set-window-point window (min at (point-max)))
        (set-window-start window (min start (point-max)) t)))))

;;;; Asking

(defun ghostfill--explain-buffer ()
  "An empty buffer for an explanation; what filled it before is cancelled."
  (with-current-buffer (get-buffer-create "*ghostfill explain*")
    (ghostfill-explain-cancel)
    (ghostfill-explain-mode)
    (let ((inhibit-read-only t)) (erase-buffer))
    (setq header-line-format
          (substitute-command-keys "The model reads...  \\[quit-window] stops it"))
    (current-buffer)))

;;;###autoload
(defun ghostfill-explain ()
  "Explain the region, or the code at point, in a buffer of its own."
  (interactive)
  (let* ((server (ghostfill--current-server))
         (argument (ghostfill--place-argument))
         (buffer (ghostfill--explain-buffer))
         (token (format "explain-%d-%d" (emacs-pid) (cl-incf ghostfill--num-explained))))
    (push (cons token (lambda (text _done)
                        (when (buffer-live-p buffer) (ghostfill--explain-fill buffer text))))
          (ghostfill-server-listeners server))
    (with-current-buffer buffer
      (setq ghostfill--explain-request
            (cons server
                  (cons token
                        (ghostfill--execute
                         server "ghostfill.explain"
                         (append argument (list :token token :show :json-false))
                         (lambda (result) (ghostfill--on-explained buffer server token result))
                         (lambda (problem)
                           (ghostfill--on-explained
                            buffer server token (list :text (plist-get problem :message)))))))))
    (pop-to-buffer buffer)))

(defun ghostfill--on-explained (buffer server token result)
  "Let BUFFER show RESULT, the last word of SERVER for TOKEN."
  (when (and (buffer-live-p buffer)
             (equal token (cadr (buffer-local-value 'ghostfill--explain-request buffer))))
    (with-current-buffer buffer
      (ghostfill--explain-over server token)
      (ghostfill--explain-fill buffer (or (plist-get result :text) "") (plist-get result :files)))))

(provide 'ghostfill-explain)
;;; ghostfill-explain.el ends here
