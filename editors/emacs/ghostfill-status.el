;;; ghostfill-status.el --- What a server last said about itself -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Keeps the state of one server and puts it into words for the mode line.
;; Knows no buffers and no processes.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

(cl-defstruct ghostfill-status
  "What a server last said about itself."
  (kind "Starting" :documentation "As the server says it; \"Starting\" until it says something.")
  busy (message "")
  (progress nil :documentation "Property lists with :title, :message and :percentage, by token.")
  (said nil :documentation "The error that was shown last."))

(defun ghostfill--error-once (status message)
  "Show MESSAGE once, until another error or a good state comes to STATUS."
  (unless (equal (ghostfill-status-said status) message)
    (setf (ghostfill-status-said status) message)
    (message "ghostfill: %s" message)))

(defun ghostfill--status-change (status params)
  "Take the PARAMS of `didChangeStatus' into STATUS.
Non-nil if the server has become usable, or has other news that are good."
  (let ((was (ghostfill-status-message status)))
    (setf (ghostfill-status-kind status) (plist-get params :kind)
          (ghostfill-status-busy status) (eq (plist-get params :busy) t)
          (ghostfill-status-message status) (or (plist-get params :message) ""))
    (force-mode-line-update t)
    (pcase (ghostfill-status-kind status)
      ("Error" (unless (string-empty-p (ghostfill-status-message status))
                 (ghostfill--error-once status (ghostfill-status-message status)))
       nil)
      ("Normal" (setf (ghostfill-status-said status) nil)
       (not (equal was (ghostfill-status-message status)))))))

(defun ghostfill--status-progress (status params)
  "Take the PARAMS of `$/progress' into STATUS."
  (let* ((token (plist-get params :token))
         (value (plist-get params :value))
         (known (cdr (assoc token (ghostfill-status-progress status)))))
    (setf (ghostfill-status-progress status)
          (assoc-delete-all token (ghostfill-status-progress status)))
    (unless (equal (plist-get value :kind) "end")
      (cl-loop for (key new) on value by #'cddr
               do (setq known (plist-put known key new)))
      (push (cons token known) (ghostfill-status-progress status)))
    (force-mode-line-update t)))

(defun ghostfill--loading-words (status)
  "Which model is loaded, as STATUS has it, and how much of it; nil while none is."
  (when-let ((progress (cdar (ghostfill-status-progress status))))
    (let ((words (or (plist-get progress :message) (plist-get progress :title) "loading"))
          (percentage (plist-get progress :percentage)))
      (if percentage (format "%s %d%%" words percentage) words))))

(defun ghostfill--status-words (status)
  "A few words on STATUS: \"loading 40%\", \"ready\", \"busy\", \"off\", \"error\"..."
  (let ((loading (ghostfill--loading-words status)))
    (cond
     (loading loading)
     ((equal (ghostfill-status-kind status) "Inactive")
      (if (string-match-p "snoozed" (ghostfill-status-message status)) "snoozed" "off"))
     ((not (equal (ghostfill-status-kind status) "Normal"))
      (downcase (ghostfill-status-kind status)))
     (t (if (ghostfill-status-busy status) "busy" "ready")))))

(provide 'ghostfill-status)
;;; ghostfill-status.el ends here
