;;; ghostfill-edits.el --- Fix and document: edits, shown before they are made -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Asks the server for an edit, shows a fix as a diff, and applies edits as one
;; step of undo per buffer.  What to change is the server's to know.

;;; Code:

(require 'diff)
(require 'ghostfill-accept)
(require 'ghostfill-diagnostics)

(defvar ghostfill--edit-asked nil
  "The request for an edit that is under way: (SERVER . ID), or nil.")

;;;; Workspace edits

(defun ghostfill--document-edits (edit)
  "The (FILE VERSION EDITS) of workspace EDIT."
  (append
   (mapcar (lambda (change)
             (let ((document (plist-get change :textDocument)))
               (unless document (error "Ghostfill: this edit does more than to change text"))
               (list (ghostfill--file (plist-get document :uri)) (plist-get document :version)
                     (append (plist-get change :edits) nil))))
           (plist-get edit :documentChanges))
   (cl-loop for (uri edits) on (plist-get edit :changes) by #'cddr
            collect (list (ghostfill--file (substring (symbol-name uri) 1)) nil
                          (append edits nil)))))

(defun ghostfill--edit-regions (edits encoding)
  "The (BEG END TEXT) of EDITS, the last in the current buffer first.
Their positions are in ENCODING."
  (save-restriction
    (widen)
    (reverse
     (sort (mapcar (lambda (edit)
                     (let ((range (plist-get edit :range)))
                       (list (ghostfill--point (plist-get range :start) encoding)
                             (ghostfill--point (plist-get range :end) encoding)
                             (replace-regexp-in-string "\r\n?" "\n" (plist-get edit :newText) t t))))
                   edits)
           (lambda (a b) (< (car a) (car b)))))))

(defun ghostfill--edit-buffer (edits encoding)
  "Make EDITS, positions in ENCODING, in the current buffer as one step of undo."
  (undo-boundary)
  (let ((group (prepare-change-group))
        (regions (ghostfill--edit-regions edits encoding)))
    (save-excursion
      (save-restriction
        (widen)
        (pcase-dolist (`(,beg ,end ,text) regions)
          (goto-char beg)
          (delete-region beg end)
          (insert text))))
    (undo-amalgamate-change-group group))
  (undo-boundary))

(defun ghostfill--apply-edit (server edit)
  "Make the workspace EDIT of SERVER; non-nil if all of it was possible."
  (let ((encoding (ghostfill--encoding server))
        (documents (ghostfill--document-edits edit)))
    (when (seq-every-p #'ghostfill--current-version-p documents)
      (pcase-dolist (`(,file ,_ ,edits) documents)
        (with-current-buffer (find-file-noselect file)
          (ghostfill--edit-buffer edits encoding)))
      t)))

(defun ghostfill--current-version-p (document)
  "Whether the edits of DOCUMENT, (FILE VERSION EDITS), fit its buffer."
  (pcase-let ((`(,file ,version ,_) document))
    (and file
         (let ((buffer (find-buffer-visiting file)))
           (or (not version) (not buffer)
               (with-current-buffer buffer
                 (or (not ghostfill--uri)
                     (and (not ghostfill--changes) (eql version ghostfill--version)))))))))

;;;; Looking at an edit

(defun ghostfill--diff (edit encoding buffer)
  "Fill BUFFER with what EDIT, positions in ENCODING, would change, as a diff."
  (let ((inhibit-read-only t))
    (with-current-buffer buffer (erase-buffer)))
  (pcase-dolist (`(,file ,_ ,edits) (ghostfill--document-edits edit))
    (let ((old (find-file-noselect file))
          (new (generate-new-buffer (format "%s, changed" (file-name-nondirectory file)))))
      (unwind-protect
          (progn
            (with-current-buffer new
              (insert (with-current-buffer old (ghostfill--whole-text)))
              (ghostfill--edit-buffer edits encoding))
            (ghostfill--append-diff old new buffer))
        (kill-buffer new))))
  (with-current-buffer buffer
    (diff-mode)
    (setq buffer-read-only t)
    (goto-char (point-min))))

(defun ghostfill--append-diff (old new buffer)
  "Append what differs between the buffers OLD and NEW to BUFFER."
  (let ((single (generate-new-buffer " *ghostfill diff of a file*"))
        (folder (ghostfill--folder)))
    (unwind-protect
        (progn
          (with-temp-buffer
            (setq default-directory folder)
            (diff-no-select old new '("-u") t single))
          (with-current-buffer buffer
            (let ((inhibit-read-only t))
              (goto-char (point-max))
              (insert (with-current-buffer single (ghostfill--hunks))))))
      (kill-buffer single))))

(defun ghostfill--hunks ()
  "The diff in the current buffer without what Emacs writes around it."
  (goto-char (point-min))
  (let* ((beg (if (re-search-forward "^--- " nil t) (match-beginning 0) (point-min)))
         (end (if (re-search-forward "^Diff finished" nil t) (1- (match-beginning 0)) (point-max))))
    (buffer-substring-no-properties beg end)))

(defun ghostfill--confirm (server edit message)
  "Show the EDIT of SERVER as a diff, with MESSAGE, and make it if the user agrees."
  (let ((buffer (get-buffer-create "*ghostfill fix*"))
        (windows (current-window-configuration)))
    (ghostfill--diff edit (ghostfill--encoding server) buffer)
    (unwind-protect
        (progn
          (display-buffer buffer '((display-buffer-reuse-window display-buffer-below-selected)))
          (if (y-or-n-p (format "%s  Apply? " message))
              (ghostfill--apply-or-say server edit)
            (message "ghostfill: nothing was changed")))
      (kill-buffer buffer)
      (set-window-configuration windows))))

(defun ghostfill--apply-or-say (server edit)
  "Make the EDIT of SERVER, or say that it is too late."
  (message (if (ghostfill--apply-edit server edit)
               "ghostfill: done; one undo takes it back"
             "ghostfill: the text has changed meanwhile; nothing was done")))

;;;; Commands

(defun ghostfill--ask-edit (command more use)
  "Run COMMAND of the server at point with MORE in its argument.
USE is called with the server, the edit and a message, outside of all filters."
  (let ((server (ghostfill--current-server)) (buffer (current-buffer))
        (tick (buffer-chars-modified-tick)))
    (ghostfill-cancel)
    (message "ghostfill: the model thinks (%s cancels)..."
             (substitute-command-keys "\\[ghostfill-cancel]"))
    (setq ghostfill--edit-asked
          (cons server
                (ghostfill--execute
                 server command (append (ghostfill--place-argument) more '(:apply :json-false))
                 (lambda (result)
                   (when ghostfill--edit-asked
                     (setq ghostfill--edit-asked nil)
                     (run-with-timer 0 nil #'ghostfill--on-edit server buffer tick result use)))
                 (lambda (problem)
                   (setq ghostfill--edit-asked nil)
                   (ghostfill--complain problem)))))))

(defun ghostfill--on-edit (server buffer tick result use)
  "SERVER has answered with RESULT for BUFFER as it was at TICK; go on with USE."
  (let ((edit (plist-get result :edit)) (message (or (plist-get result :message) "")))
    (cond
     ((not edit)
      (message "ghostfill: %s" (if (string-empty-p message) "nothing to change" message)))
     ((not (and (buffer-live-p buffer)
                (eql tick (buffer-chars-modified-tick buffer))))
      (message "ghostfill: the text has changed meanwhile; nothing was done"))
     (t (funcall use server edit message)))))

;;;###autoload
(defun ghostfill-fix (&optional note)
  "Fix what is wrong in the region or at point, after a look at the diff.
With a prefix argument ask for a NOTE that says what is to be changed."
  (interactive (ghostfill--read-note current-prefix-arg))
  (ghostfill--current-server)
  (ghostfill--ask-edit "ghostfill.fix"
                       (append (ghostfill--diagnostics-argument) (and note (list :note note)))
                       #'ghostfill--confirm))

;;;###autoload
(defun ghostfill-fix-with-note (note)
  "Change the region, or the code at point, to follow NOTE.
The diff is shown first."
  (interactive (ghostfill--read-note t))
  (ghostfill-fix note))

(defun ghostfill--read-note (wanted)
  "The arguments of `ghostfill-fix'; the user is asked for a note if it is WANTED."
  (barf-if-buffer-read-only)
  (when wanted
    (let ((note (string-trim (read-string "What is to be changed: "))))
      (when (string-empty-p note)
        (user-error "Nothing was said that is to be changed"))
      (list note))))

;;;###autoload
(defun ghostfill-document ()
  "Write the docstring of the function or class at point."
  (interactive "*")
  (ghostfill--ask-edit "ghostfill.document" nil
                       (lambda (server edit _message) (ghostfill--apply-or-say server edit))))

(defun ghostfill-cancel ()
  "Stop the fix or the docstring that is being made."
  (interactive)
  (when ghostfill--edit-asked
    (ghostfill--cancel (car ghostfill--edit-asked) (cdr ghostfill--edit-asked))
    (setq ghostfill--edit-asked nil)
    (message "ghostfill: cancelled")))

(provide 'ghostfill-edits)
;;; ghostfill-edits.el ends here
