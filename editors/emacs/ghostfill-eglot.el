;;; ghostfill-eglot.el --- Ghostfill as the server that Eglot runs -*- lexical-binding: t; no-byte-compile: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Only for those who have no other language server for a major mode: Eglot runs
;; one server per mode and project, and ghostfill can be that one.  Its actions
;; are in Eglot's menu then, and ghost text goes over Eglot's connection.
;;
;;   (require 'ghostfill-eglot)
;;   (add-to-list 'eglot-server-programs '(python-mode . ghostfill-eglot-contact))
;;
;; Beside another server nothing of this is needed: `ghostfill-mode' has a
;; connection of its own.  This file is not compiled, because Eglot may not be
;; there when the package is installed.

;;; Code:

(require 'eglot)
(require 'ghostfill)

(defclass ghostfill-eglot-server (eglot-lsp-server)
  ((state :initform nil :accessor ghostfill--eglot-state
          :documentation "What ghostfill keeps of it."))
  "A ghostfill server that Eglot runs.")

(defun ghostfill--eglot-server (server)
  "The state of Eglot's SERVER."
  (or (ghostfill--eglot-state server)
      (setf (ghostfill--eglot-state server)
            (make-ghostfill-server :root (expand-file-name (project-root (eglot--project server)))
                                   :connection server))))

;;;###autoload
(defun ghostfill-eglot-contact (&rest _)
  "The way to start ghostfill, for `eglot-server-programs'."
  (let ((command (ghostfill-command-for (ghostfill--root (or buffer-file-name default-directory)))))
    (list 'ghostfill-eglot-server
          :process (lambda () (ghostfill--make-process "ghostfill (Eglot)" command)))))

;;;; What Eglot says and hears

(cl-defmethod eglot-client-capabilities :around ((_server ghostfill-eglot-server))
  "Add inline completion to what Eglot can do."
  (let* ((capabilities (copy-sequence (cl-call-next-method)))
         (documents (copy-sequence (plist-get capabilities :textDocument))))
    (plist-put capabilities :textDocument
               (plist-put documents :inlineCompletion '(:dynamicRegistration :json-false)))))

(cl-defmethod eglot-initialization-options ((_server ghostfill-eglot-server))
  "The user's settings, from global values only."
  (ghostfill--options))

(cl-defmethod jsonrpc-connection-send :before ((_server ghostfill-eglot-server)
                                               &key id method &allow-other-keys)
  "Remember ID if METHOD is a request's."
  (when method (setq ghostfill--sent-id id)))

(cl-defmethod eglot-handle-notification ((server ghostfill-eglot-server)
                                         (_method (eql didChangeStatus))
                                         &rest params &key &allow-other-keys)
  "Take PARAMS as the new state of SERVER."
  (ghostfill--on-notification (ghostfill--eglot-server server) 'didChangeStatus params))

(cl-defmethod eglot-handle-notification ((server ghostfill-eglot-server)
                                         (_method (eql ghostfill/didExplain))
                                         &rest params &key &allow-other-keys)
  "SERVER has written PARAMS of an explanation."
  (ghostfill--on-notification (ghostfill--eglot-server server) 'ghostfill/didExplain params))

(cl-defmethod eglot-handle-notification :before ((server ghostfill-eglot-server)
                                                 (_method (eql $/progress))
                                                 &rest params &key &allow-other-keys)
  "SERVER is at PARAMS of some work."
  (ghostfill--on-notification (ghostfill--eglot-server server) '$/progress params))

;;;; Documents are Eglot's

(cl-defmethod ghostfill--flush-to ((_server ghostfill-eglot-server))
  "Let Eglot send now what it would send when the buffer rests."
  (eglot--signal-textDocument/didChange))

(cl-defmethod ghostfill--document-of ((_server ghostfill-eglot-server))
  "The current buffer as Eglot names it."
  (eglot--TextDocumentIdentifier))

(defun ghostfill--eglot-find ()
  "The server of this buffer if Eglot has a connection to ghostfill, else nil."
  (when-let ((server (and (eglot-managed-p) (eglot-current-server))))
    (when (cl-typep server 'ghostfill-eglot-server)
      (let ((state (ghostfill--eglot-server server)))
        (setf (ghostfill-server-capabilities state) (eglot--capabilities server)
              (ghostfill-server-info state) (eglot--server-info server)
              (ghostfill-server-is-ready state) t)
        state))))

(defun ghostfill--eglot-managed ()
  "Eglot begins or ends to manage this buffer."
  (when (and ghostfill-mode (not (eq ghostfill--server
                                     (or (ghostfill--eglot-find) ghostfill--server))))
    (ghostfill--reattach))
  (when (and ghostfill-mode ghostfill--server (not (eglot-managed-p))
             (not (memq ghostfill--server ghostfill--servers)))
    (ghostfill--reattach)))

(setq ghostfill-find-server-function #'ghostfill--eglot-find)
(add-hook 'eglot-managed-mode-hook #'ghostfill--eglot-managed)

(provide 'ghostfill-eglot)
;;; ghostfill-eglot.el ends here
