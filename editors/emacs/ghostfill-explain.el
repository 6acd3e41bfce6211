;;; ghostfill-explain.el --- An explanation, while it is being written -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Shows what the server says about a piece of code in a buffer that grows while
;; the model writes.  The buffer holds the server's Markdown with its signs
;; hidden, so that only what is new is ever inserted: point, mark and windows of
;; a reader stay where they are.  Quitting or killing the buffer stops the model.

;;; Code:

(require 'ghostfill-accept)
(require 'ghostfill-diagnostics)
(require 'ghostfill-markdown)

(defvar-local ghostfill--explain-request nil
  "What fills this buffer: (SERVER TOKEN . ID), nil once it is all there.")

(defconst ghostfill--cancelled "Cancelled: this is not all of it."
  "Said where an explanation was stopped.")

(defvar ghostfill--num-explained 0
  "Makes each token a new one.")

(defvar ghostfill-explain-mode-map
  (let ((map (make-sparse-keymap)))
    (set-keymap-parent map (make-composed-keymap button-buffer-map special-mode-map))
    (define-key map (kbd "C-c C-k") #'ghostfill-explain-cancel)
    (define-key map [remap keyboard-quit] #'ghostfill-explain-quit)
    map)
  "Keys of `ghostfill-explain-mode'.")

(define-derived-mode ghostfill-explain-mode special-mode "Explain"
  "What ghostfill says about a piece of code.

\\{ghostfill-explain-mode-map}"
  (visual-line-mode)
  (add-hook 'kill-buffer-hook #'ghostfill-explain-cancel nil t)
  (add-hook 'quit-window-hook #'ghostfill-explain-cancel nil t))

(defun ghostfill-explain-cancel ()
  "Stop the explanation that is being written, and keep what there is of it."
  (interactive)
  (when ghostfill--explain-request
    (pcase-let ((`(,server ,token . ,id) ghostfill--explain-request))
      (ghostfill--cancel server id)
      (ghostfill--explain-break-off server token ghostfill--cancelled))))

(defun ghostfill-explain-quit ()
  "Stop the explanation that is being written, else quit as everywhere."
  (interactive)
  (if ghostfill--explain-request (ghostfill-explain-cancel) (keyboard-quit)))

(defun ghostfill--explain-over (server token)
  "Nothing more comes from SERVER for TOKEN into the current buffer."
  (setf (ghostfill-server-listeners server)
        (assoc-delete-all token (ghostfill-server-listeners server)))
  (setq ghostfill--explain-request nil header-line-format nil))

(defun ghostfill--explain-break-off (server token reason)
  "Nothing more comes from SERVER for TOKEN, because of REASON, which is shown."
  (ghostfill--explain-over server token)
  (let ((inhibit-read-only t))
    (save-excursion
      (goto-char (point-max))
      (insert (if (bobp) "" "\n\n") (propertize reason 'face 'warning) "\n")))
  (setq header-line-format (string-replace "%" "%%" (car (split-string reason "\n")))))

;;;; Text

(defun ghostfill--replace (text)
  "Let the current buffer hold TEXT; what is the same at its start is not touched."
  (let* ((old (buffer-substring-no-properties (point-min) (point-max)))
         (differs (compare-strings old nil nil text nil nil))
         (num-same (if (eq differs t) (length text) (1- (abs differs)))))
    (delete-region (+ (point-min) num-same) (point-max))
    (goto-char (point-max))
    (insert (substring text num-same))))

(defun ghostfill--insert-files (files)
  "Insert links to FILES."
  (goto-char (point-max))
  (insert "\n\nFiles:\n")
  (seq-do (lambda (file)
            (insert "  ")
            (insert-text-button (plist-get file :path)
                                'ghostfill-target (plist-get file :uri)
                                'follow-link t 'action #'ghostfill--follow-link)
            (insert "\n"))
          files))

(defun ghostfill--explain-fill (buffer text &optional files)
  "Let BUFFER show TEXT, and links to FILES.
A reader at its end stays at the end, any other where they are."
  (with-current-buffer buffer
    (let* ((inhibit-read-only t)
           (end (and (< (point-min) (point-max)) (point-max)))
           (places (mapcar (lambda (window) (list window (window-point window) (window-start window)))
                           (get-buffer-window-list buffer nil t)))
           (point (point)))
      (ghostfill--replace text)
      (ghostfill--decorate)
      (when (> (length files) 0) (ghostfill--insert-files files))
      (cl-flet ((place (at) (if (eql at end) (point-max) (min at (point-max)))))
        (goto-char (place point))
        (pcase-dolist (`(,window ,at ,start) places)
          (set-window-start window (min start (point-max)) t)
          (set-window-point window (place at)))))))

;;;; Asking

(defun ghostfill--explain-header ()
  "The state of the current buffer while it is filled."
  (let* ((server (car ghostfill--explain-request))
         (loading (and server (ghostfill--loading-words (ghostfill-server-status server)))))
    (string-replace "%" "%%"
                    (substitute-command-keys
                     (format "%s  \\[ghostfill-explain-cancel] stops it"
                             (or loading "The model reads and writes..."))))))

(defun ghostfill--explain-buffer ()
  "An empty buffer for an explanation; what filled it before is cancelled."
  (with-current-buffer (get-buffer-create "*ghostfill explain*")
    (ghostfill-explain-cancel)
    (ghostfill-explain-mode)
    (let ((inhibit-read-only t)) (erase-buffer))
    (setq header-line-format '(:eval (ghostfill--explain-header)))
    (current-buffer)))

;;;###autoload
(defun ghostfill-explain ()
  "Explain the region, or the code at point, in a buffer of its own."
  (interactive)
  (let* ((server (ghostfill--current-server))
         (argument (append (ghostfill--place-argument) (ghostfill--diagnostics-argument)))
         (buffer (ghostfill--explain-buffer))
         (token (format "explain-%d-%d" (emacs-pid) (cl-incf ghostfill--num-explained))))
    (push (cons token (lambda (text _done) (ghostfill--on-explaining buffer token text)))
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
                           (ghostfill--on-unexplained buffer server token problem)))))))
    (pop-to-buffer buffer)))

(defun ghostfill--explains-p (buffer token)
  "Whether BUFFER is there and waits for TOKEN."
  (and (buffer-live-p buffer)
       (equal token (cadr (buffer-local-value 'ghostfill--explain-request buffer)))))

(defun ghostfill--on-explaining (buffer token text)
  "Let BUFFER show TEXT, what was written so far for TOKEN."
  (when (ghostfill--explains-p buffer token)
    (ghostfill--explain-fill buffer text)))

(defun ghostfill--on-explained (buffer server token result)
  "Let BUFFER show RESULT, the last word of SERVER for TOKEN."
  (when (ghostfill--explains-p buffer token)
    (with-current-buffer buffer
      (ghostfill--explain-over server token)
      (ghostfill--explain-fill buffer (or (plist-get result :text) "") (plist-get result :files)))))

(defun ghostfill--on-unexplained (buffer server token problem)
  "Let BUFFER say why nothing more comes from SERVER for TOKEN: PROBLEM."
  (when (ghostfill--explains-p buffer token)
    (with-current-buffer buffer
      (ghostfill--explain-break-off
       server token
       (cond ((eql (plist-get problem :code) -1) "The server ended before it had answered.  Try again.")
             ((ghostfill--silent-p problem) ghostfill--cancelled)
             (t (or (plist-get problem :message) "The server failed.")))))))

(provide 'ghostfill-explain)
;;; ghostfill-explain.el ends here
