;;; ghostfill-switches.el --- Commands that turn ghostfill off and on -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What is on is the server's to know: it is told, and its answer is shown.

;;; Code:

(require 'ghostfill-accept)

(defun ghostfill--switch (command &optional argument)
  "Run COMMAND of the server with ARGUMENT, and show its answer."
  (ghostfill--execute (ghostfill--current-server) command argument
                      (lambda (result)
                        (ghostfill--refresh)
                        (message "ghostfill: %s" (or (plist-get result :message) "done")))))

(defun ghostfill-toggle ()
  "Turn ghost text off or on in this workspace, for this session.
Starts a server that was given up."
  (interactive)
  (if (and ghostfill--server (ghostfill-server-problem ghostfill--server)
           (not (ghostfill--running-p ghostfill--server)))
      (ghostfill-restart-server)
    (ghostfill--switch "ghostfill.toggle")))

(defun ghostfill-toggle-language ()
  "Turn ghost text off or on for the language of this buffer, for this session."
  (interactive)
  (ghostfill--switch "ghostfill.toggle" (list :language (ghostfill--language-id))))

(defun ghostfill-snooze (minutes)
  "Turn ghost text off for MINUTES; 0 ends that.
Without a prefix argument it is the server's default."
  (interactive "P")
  (ghostfill--switch "ghostfill.snooze"
                     (and minutes (list :minutes (prefix-numeric-value minutes)))))

(defun ghostfill-restart-engine ()
  "Start the engine behind the server again, now."
  (interactive)
  (ghostfill--execute (ghostfill--current-server) "ghostfill.restartEngine" nil
                      (lambda (result)
                        (message "ghostfill: %s" (or (plist-get result :message)
                                                     "the engine is started again")))))

(defun ghostfill-restart-server ()
  "Start the server of this buffer again, with `ghostfill-settings' of now."
  (interactive)
  (let ((server ghostfill--server))
    (cond
     ((not server) (user-error "ghostfill: %s" (or (ghostfill--absence) "no server here")))
     ((not (memq server ghostfill--servers))
      (user-error "This server belongs to Eglot: M-x eglot-reconnect"))
     (t
      (ghostfill--stop)
      (dolist (buffer (buffer-list))
        (with-current-buffer buffer
          (when (eq ghostfill--server server) (ghostfill--close))))
      (ghostfill--stop-server server)
      (setf (ghostfill-server-restarts server) 0)
      (ghostfill--start server)
      (unless (ghostfill-server-problem server)
        (message "ghostfill: the server is started again"))))))

(provide 'ghostfill-switches)
;;; ghostfill-switches.el ends here
