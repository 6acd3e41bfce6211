;;; ghostfill-server.el --- One language server per workspace -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Starts a server, restarts it with back-off, and sends it requests.  The
;; connection is our own, beside whatever server Eglot or lsp-mode run for the
;; buffer.  Nothing here waits: whoever asks gives a function to be called.
;; Knows no documents and no ghost text.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'ghostfill-config)
(require 'ghostfill-lsp)
(require 'ghostfill-program)
(require 'ghostfill-status)

(defconst ghostfill--restart-delays '(0.2 1 5)
  "Seconds before each new start of a server that ended by itself.")

(defconst ghostfill--stable-seconds 120
  "A server that lived so long starts with a clean record.")

(defconst ghostfill--patience-seconds 3
  "A server that was asked to end may take so long.")

(defconst ghostfill--silent-errors '(-32800 -32801 -32802 -1)
  "RequestCancelled, ContentModified, ServerCancelled, and the end of the server.")

(cl-defstruct ghostfill-server
  "The server of one workspace."
  root connection process capabilities info problem
  (restarts 0) (started 0) restart-timer
  (is-ready nil :documentation "Whether the handshake is over.")
  (status (make-ghostfill-status))
  (listeners nil :documentation "Functions of text and whether it is all, by token; see didExplain."))

(defvar ghostfill--servers nil
  "All of our own, the newest first.")

(defvar ghostfill-ready-hook nil
  "Run with a server whose handshake is over; its documents are to be opened.")

(defvar ghostfill-status-hook nil
  "Run with a server that has good news: what was unanswered may be asked again.")

(defvar ghostfill-apply-edit-function #'ignore
  "Applies a workspace edit that a server asks for; non-nil if it did.")

(defclass ghostfill-connection (jsonrpc-process-connection) ()
  "A connection to a language server of ours.")

(defvar ghostfill--sent-id nil
  "The id of the request that was sent last.")

(cl-defmethod jsonrpc-connection-send :before ((_connection ghostfill-connection)
                                               &key id method &allow-other-keys)
  "Remember ID if METHOD is a request's: whoever asks may want to cancel it."
  (when method (setq ghostfill--sent-id id)))

;;;; Talking

(defun ghostfill--running-p (server)
  "Whether SERVER can be talked to."
  (and server (ghostfill-server-is-ready server)
       (ghostfill-server-connection server)
       (jsonrpc-running-p (ghostfill-server-connection server))))

(defun ghostfill--notify (server method &optional params)
  "Send notification METHOD with PARAMS to SERVER, if that is possible."
  (when (ghostfill--running-p server)
    (jsonrpc-notify (ghostfill-server-connection server) method (or params (make-hash-table)))))

(defun ghostfill--request (server method params success &optional failure)
  "Send request METHOD with PARAMS to SERVER; the value is its id.
SUCCESS is called with the result.  FAILURE is called with an error object;
by default the error is shown, unless it is nobody's mistake."
  (setq ghostfill--sent-id nil)
  (jsonrpc-async-request
   (ghostfill-server-connection server) method params
   :success-fn success
   :error-fn (or failure #'ghostfill--complain)
   :timeout nil)
  ghostfill--sent-id)

(defun ghostfill--silent-p (problem)
  "Whether the error object PROBLEM is nobody's mistake."
  (memq (plist-get problem :code) ghostfill--silent-errors))

(defun ghostfill--complain (problem)
  "Show the error object PROBLEM to the user."
  (unless (ghostfill--silent-p problem)
    (message "ghostfill: %s" (or (plist-get problem :message) "the server failed"))))

(defun ghostfill--cancel (server id)
  "Tell SERVER that nobody waits for request ID any more."
  (ghostfill--notify server :$/cancelRequest (list :id id)))

(defun ghostfill--execute (server command argument success &optional failure)
  "Run COMMAND of SERVER with ARGUMENT, which may be nil; the value is the id.
SUCCESS and FAILURE are as for `ghostfill--request'."
  (ghostfill--request server :workspace/executeCommand
                      (append (list :command command)
                              (and argument (list :arguments (vector argument))))
                      success failure))

(defun ghostfill--encoding (server)
  "The position encoding that SERVER has chosen."
  (or (plist-get (ghostfill-server-capabilities server) :positionEncoding) "utf-16"))

;;;; Listening

(defun ghostfill--on-notification (server method params)
  "Handle notification METHOD with PARAMS of SERVER."
  (pcase method
    ('didChangeStatus
     (when (ghostfill--status-change (ghostfill-server-status server) params)
       (run-hook-with-args 'ghostfill-status-hook server)))
    ('$/progress (ghostfill--status-progress (ghostfill-server-status server) params))
    ('ghostfill/didExplain
     (when-let ((listener (cdr (assoc (plist-get params :token)
                                      (ghostfill-server-listeners server)))))
       (funcall listener (plist-get params :text) (eq (plist-get params :done) t))))
    ('window/showMessage (message "ghostfill: %s" (plist-get params :message)))))

(defun ghostfill--on-request (server method params)
  "Answer request METHOD with PARAMS of SERVER."
  (pcase method
    ('workspace/applyEdit
     (list :applied (if (funcall ghostfill-apply-edit-function server (plist-get params :edit))
                        t :json-false)))
    ('workspace/workspaceFolders (vector (ghostfill--folder-of server)))
    ((or 'window/workDoneProgress/create 'client/registerCapability 'client/unregisterCapability
         'window/showMessageRequest)
     nil)
    (_ (jsonrpc-error :code -32601 :message "Method not found"))))

;;;; Starting

(defun ghostfill--folder-of (server)
  "The workspace folder of SERVER."
  (let ((root (directory-file-name (ghostfill-server-root server))))
    (list :uri (ghostfill--uri root) :name (file-name-nondirectory root))))

(defun ghostfill--options ()
  "The initializationOptions, from global values only."
  (let ((settings (copy-sequence (ghostfill--global 'ghostfill-settings))))
    (plist-put settings :client
               (plist-put (copy-sequence (plist-get settings :client)) :status t))))

(defun ghostfill--initialize-params (server)
  "What SERVER is told about this editor."
  (list :processId (emacs-pid)
        :clientInfo (list :name "Emacs" :version emacs-version)
        :rootUri (plist-get (ghostfill--folder-of server) :uri)
        :workspaceFolders (vector (ghostfill--folder-of server))
        :initializationOptions (ghostfill--options)
        :capabilities
        '(:general (:positionEncodings ["utf-32" "utf-16"])
          :textDocument (:synchronization (:didSave t)
                         :inlineCompletion (:dynamicRegistration :json-false))
          :workspace (:workspaceFolders t :applyEdit t :workspaceEdit (:documentChanges t))
          :window (:workDoneProgress t))))

(defun ghostfill--make-process (name command)
  "Start COMMAND as process NAME, with nothing that is local to a buffer."
  (let ((folder (ghostfill--folder)))
    (with-temp-buffer
      (setq default-directory folder)
      (make-process :name name :command command :connection-type 'pipe
                    :coding 'utf-8-emacs-unix :noquery t
                    :stderr (get-buffer-create (format "*%s stderr*" name))))))

(defconst ghostfill--no-log
  (if (memq '-events-buffer-config
            (mapcar #'eieio-slot-descriptor-name (eieio-class-slots 'jsonrpc-connection)))
      '(:events-buffer-config (:size 0 :format full))
    '(:events-buffer-scrollback-size 0))
  "Keeps the texts of files out of a log; versions of jsonrpc differ here.")

(defun ghostfill--connect (server command)
  "Start COMMAND and shake hands with SERVER."
  (let* ((root (directory-file-name (ghostfill-server-root server)))
         (name (format "ghostfill/%s" (file-name-nondirectory root))))
    (setf (ghostfill-server-is-ready server) nil
          (ghostfill-server-status server) (make-ghostfill-status)
          (ghostfill-server-connection server)
          (apply #'make-instance 'ghostfill-connection
                 :name name
                 :process (lambda () (setf (ghostfill-server-process server)
                                           (ghostfill--make-process name command)))
                 :notification-dispatcher
                 (lambda (_ method params) (ghostfill--on-notification server method params))
                 :request-dispatcher
                 (lambda (_ method params) (ghostfill--on-request server method params))
                 :on-shutdown (lambda (connection) (ghostfill--on-end server connection))
                 ghostfill--no-log))
    (ghostfill--request server :initialize (ghostfill--initialize-params server)
                        (lambda (result) (ghostfill--on-initialized server result)))))

(defun ghostfill--on-initialized (server result)
  "SERVER has answered the handshake with RESULT."
  (setf (ghostfill-server-capabilities server) (plist-get result :capabilities)
        (ghostfill-server-info server) (plist-get result :serverInfo)
        (ghostfill-server-is-ready server) t)
  (ghostfill--notify server :initialized)
  (force-mode-line-update t)
  (run-hook-with-args 'ghostfill-ready-hook server))

(defun ghostfill--start (server)
  "Start the process of SERVER, or say why that is not possible."
  (setf (ghostfill-server-started server) (float-time)
        (ghostfill-server-restart-timer server) nil)
  (pcase-let ((`(,command . ,problem) (ghostfill--command (ghostfill-server-root server))))
    (when command
      (condition-case failure
          (ghostfill--connect server command)
        (file-error (setq problem (error-message-string failure)))))
    (setf (ghostfill-server-problem server) problem)
    (when problem (message "ghostfill: %s" problem))))

(defun ghostfill--on-end (server connection)
  "The process of SERVER behind CONNECTION is over."
  (when (eq connection (ghostfill-server-connection server))
    (setf (ghostfill-server-connection server) nil
          (ghostfill-server-is-ready server) nil)
    (force-mode-line-update t)
    (when (> (- (float-time) (ghostfill-server-started server)) ghostfill--stable-seconds)
      (setf (ghostfill-server-restarts server) 0))
    (let ((delay (nth (ghostfill-server-restarts server) ghostfill--restart-delays)))
      (cl-incf (ghostfill-server-restarts server))
      (if delay
          (setf (ghostfill-server-restart-timer server)
                (run-with-timer delay nil #'ghostfill--start server))
        (setf (ghostfill-server-problem server)
              (format "the server ended %d times (status %s).  M-x ghostfill-doctor says more; \
M-x ghostfill-restart-server tries again"
                      (ghostfill-server-restarts server) (process-exit-status (ghostfill-server-process server))))
        (message "ghostfill: %s" (ghostfill-server-problem server))))))

(defun ghostfill--stop-server (server)
  "End the process of SERVER; it is not started again."
  (let ((connection (ghostfill-server-connection server))
        (process (ghostfill-server-process server)))
    (when (ghostfill-server-restart-timer server)
      (cancel-timer (ghostfill-server-restart-timer server)))
    (when (and connection (jsonrpc-running-p connection))
      (ghostfill--request server :shutdown nil
                          (lambda (_)
                            (when (jsonrpc-running-p connection)
                              (jsonrpc-notify connection :exit nil))))
      (run-with-timer ghostfill--patience-seconds nil #'delete-process process))
    (setf (ghostfill-server-connection server) nil
          (ghostfill-server-is-ready server) nil)))

(defun ghostfill--server-for (root)
  "The server for ROOT, which is started if need be."
  (or (seq-find (lambda (server) (equal (ghostfill-server-root server) root)) ghostfill--servers)
      (let ((server (make-ghostfill-server :root root)))
        (push server ghostfill--servers)
        (ghostfill--start server)
        server)))

(provide 'ghostfill-server)
;;; ghostfill-server.el ends here
