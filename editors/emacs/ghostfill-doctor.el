;;; ghostfill-doctor.el --- Checks whether ghostfill can work here -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Says what this editor, this buffer and each server are like, and lets the
;; command `ghostfill doctor' add what it finds.

;;; Code:

(require 'ghostfill-accept)

(defun ghostfill--doctor-lines (root)
  "What is to be said about this buffer of workspace ROOT: (GOOD . SENTENCE)."
  (pcase-let ((`(,command . ,problem) (ghostfill--command root)))
    (append
     (list (cons t (format "Emacs %s" emacs-version))
           (if (fboundp 'json-serialize)
               (cons t "JSON is read by Emacs itself")
             (cons nil "this Emacs was built without native JSON: expect delays"))
           (if command
               (cons t (format "program: %s" (string-join command " ")))
             (cons nil problem))
           (let ((absence (ghostfill--absence)))
             (if absence
                 (cons nil (format "this buffer: %s" absence))
               (cons t (format "this buffer: %s, workspace %s" (ghostfill--language-id) root)))))
     (mapcan #'ghostfill--doctor-server (reverse ghostfill--servers)))))

(defun ghostfill--doctor-server (server)
  "What is to be said about SERVER."
  (let ((status (ghostfill-server-status server))
        (info (ghostfill-server-info server)))
    (list
     (cond
      ((ghostfill-server-problem server)
       (cons nil (format "%s: %s" (ghostfill-server-root server) (ghostfill-server-problem server))))
      ((ghostfill--running-p server)
       (cons t (format "%s: server %s %s, %d buffer(s)" (ghostfill-server-root server)
                       (plist-get info :name) (plist-get info :version)
                       (seq-count (lambda (buffer)
                                    (eq server (buffer-local-value 'ghostfill--server buffer)))
                                  (buffer-list)))))
      (t (cons nil (format "%s: the server is starting" (ghostfill-server-root server)))))
     (cons (not (member (ghostfill-status-kind status) '("Error" "Warning")))
           (format "engine: %s%s" (ghostfill--status-words status)
                   (if (string-empty-p (ghostfill-status-message status)) ""
                     (concat ": " (ghostfill-status-message status))))))))

(defun ghostfill--doctor-program (root buffer)
  "Let the program's own doctor, found outside of ROOT, write into BUFFER."
  (let ((command (car (ghostfill--command root))))
    (when (equal (car (last command)) "serve")
      (let ((process (with-current-buffer buffer
                       (setq default-directory (ghostfill--folder))
                       (make-process :name "ghostfill doctor" :buffer buffer :noquery t
                                     :command (append (butlast command) '("doctor"))
                                     :connection-type 'pipe
                                     :sentinel #'ghostfill--doctor-ended))))
        (set-process-filter process #'ghostfill--doctor-said)))))

(defun ghostfill--doctor-said (process text)
  "PROCESS has said TEXT."
  (when (buffer-live-p (process-buffer process))
    (with-current-buffer (process-buffer process)
      (let ((inhibit-read-only t))
        (save-excursion (goto-char (point-max)) (insert text))))))

(defun ghostfill--doctor-ended (process _event)
  "PROCESS is over."
  (ghostfill--doctor-said process (format "\n(\"ghostfill doctor\" ended with status %d)\n"
                                          (process-exit-status process))))

;;;###autoload
(defun ghostfill-doctor ()
  "Check whether ghostfill can work in this buffer, and say what to do."
  (interactive)
  (let* ((root (if (and buffer-file-name (not (file-remote-p buffer-file-name)))
                   (ghostfill--root buffer-file-name)
                 (expand-file-name "~/")))
         (lines (ghostfill--doctor-lines root))
         (buffer (get-buffer-create "*ghostfill doctor*")))
    (with-current-buffer buffer
      (special-mode)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (pcase-dolist (`(,good . ,sentence) lines)
          (insert (if good (propertize "ok    " 'face 'success) (propertize "look  " 'face 'warning))
                  sentence "\n"))
        (insert "\n"))
      (goto-char (point-min)))
    (ghostfill--doctor-program root buffer)
    (pop-to-buffer buffer)))

(provide 'ghostfill-doctor)
;;; ghostfill-doctor.el ends here
