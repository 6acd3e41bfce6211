;;; ghostfill-scene.el --- What the batch tests share -*- lexical-binding: t -*-

;;; Commentary:

;; A workspace, a scripted server and a buffer on them; keys go through the real
;; command loop.  Waits for states, never for times.  The environment names the
;; Python program (GHOSTFILL_PYTHON) and the scripted server (GHOSTFILL_FAKE).

;;; Code:

(require 'ert)
(require 'cl-lib)
(when (< emacs-major-version 29)
  (add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa"))
(package-initialize)
(require 'ghostfill)

(setq make-backup-files nil
      create-lockfiles nil
      auto-save-default nil
      python-indent-guess-indent-offset nil
      jsonrpc-default-request-timeout 20)

(defvar scene-folder nil "Where the files of the running test are.")
(defvar scene-result nil "What the last request of a test was answered.")

(defun scene-file (name)
  "The file NAME of the running test."
  (expand-file-name name scene-folder))

(defun scene-wait (what predicate &optional seconds)
  "Wait until PREDICATE gives non-nil, and give that; fail with WHAT after SECONDS."
  (let ((end (+ (float-time) (or seconds 20))) value)
    (while (and (not (setq value (funcall predicate))) (< (float-time) end))
      (accept-process-output nil 0.01))
    (or value (ert-fail (list what :not-within (or seconds 20) :screen (scene-screen))))))

(defmacro scene-until (form &optional seconds)
  "Wait until FORM gives non-nil, at most SECONDS."
  `(scene-wait ',form (lambda () ,form) ,seconds))

(defun scene-item (text &rest more)
  "The server's item with TEXT and MORE."
  (append (list :insertText text
                :command '(:title "accepted" :command "ghostfill.accepted" :arguments [(:id "c1")]))
          more))

(defun scene-rule (before &rest texts)
  "Offer TEXTS, strings or items, where the line up to the cursor ends with BEFORE."
  (list :before before
        :items (vconcat (cl-loop for text in texts for number from 1
                                 collect (if (stringp text)
                                             (plist-put (scene-item text) :command
                                                        (list :title "accepted" :command "ghostfill.accepted"
                                                              :arguments (vector (list :id (format "c%d" number)))))
                                           text)))))

(defun scene-held (before &rest texts)
  "A rule as `scene-rule' makes for BEFORE and TEXTS, answered on release."
  (append (apply #'scene-rule before texts) '(:hold t)))

(defun scene-span (first last)
  "A range on the first line from FIRST to LAST."
  (list :start (list :line 0 :character first) :end (list :line 0 :character last)))

(defun scene-script (rules &rest more)
  "Let the scripted server follow RULES and MORE of a script."
  (let ((coding-system-for-write 'no-conversion))
    (write-region (json-serialize (append (list :rules (vconcat rules)) more)
                                  :null-object nil :false-object :json-false)
                  nil
                  (scene-file "script.json") nil 'quiet)))

(defun scene-command ()
  "The scripted server."
  (list (getenv "GHOSTFILL_PYTHON") (getenv "GHOSTFILL_FAKE")
        (scene-file "script.json") (scene-file "record.jsonl")))

(defun scene-visit (name text &optional mode)
  "Show file NAME with TEXT in MODE, the cursor at its end."
  (let ((file (scene-file (concat "work/" name))) (coding-system-for-write 'utf-8-unix))
    (with-temp-file file (insert text))
    (switch-to-buffer (find-file-noselect file))
    (funcall (or mode #'python-mode))
    (goto-char (point-max))))

(defun scene-ready ()
  "Wait until the server has the current buffer."
  (scene-until (and ghostfill--uri (ghostfill--running-p ghostfill--server))))

(defun scene-open (rules &optional text &rest more)
  "A buffer with TEXT on the server that follows RULES and MORE."
  (apply #'scene-script rules more)
  (set-default 'ghostfill-command (scene-command))
  (scene-visit "main.py" (or text ""))
  (ghostfill-mode)
  (scene-ready))

(defun scene-end (server)
  "End SERVER and wait for its end: it writes into the folder of the test."
  (let ((process (ghostfill-server-process server)))
    (ghostfill--stop-server server)
    (when process
      (scene-until (not (process-live-p process))))))

(defmacro scene-run (&rest body)
  "Run BODY with a folder of its own, and end every server and buffer of it."
  (declare (indent 0) (debug t))
  `(let ((scene-folder (file-name-as-directory (make-temp-file "ghostfill" t)))
         (command (default-value 'ghostfill-command)) (settings (default-value 'ghostfill-settings)))
     (make-directory (scene-file "work/.git") t)
     (delete-other-windows)
     (unwind-protect (progn ,@body)
       (ghostfill--stop)
       (dolist (buffer (buffer-list))
         (with-current-buffer buffer
           (when (or (and buffer-file-name (file-in-directory-p buffer-file-name scene-folder))
                     (string-prefix-p "*ghostfill" (buffer-name)))
             (set-buffer-modified-p nil)
             (kill-buffer))))
       (mapc #'scene-end ghostfill--servers)
       (setq ghostfill--servers nil ghostfill--told nil ghostfill--asked nil)
       (set-default 'ghostfill-command command)
       (set-default 'ghostfill-settings settings)
       (delete-directory scene-folder t))))

(defun scene-press (keys)
  "Press KEYS, as `kbd' names them, through the command loop."
  (execute-kbd-macro (kbd keys)))

(defun scene-type (text)
  "Type TEXT as a user does."
  (execute-kbd-macro (vconcat text)))

(defun scene-messages ()
  "What the server got, the oldest first."
  (when (file-exists-p (scene-file "record.jsonl"))
    (with-temp-buffer
      (insert-file-contents (scene-file "record.jsonl"))
      (let (messages)
        (while (re-search-forward "^.+\n" nil t)
          (push (json-parse-string (match-string 0) :object-type 'plist :null-object nil
                                   :false-object :json-false)
                messages))
        (nreverse messages)))))

(defun scene-received (method)
  "The params of the messages of METHOD that the server got."
  (cl-loop for message in (scene-messages)
           when (equal (plist-get message :method) method) collect (plist-get message :params)))

(defun scene-open-commands (text &rest commands)
  "A buffer with TEXT on a server whose COMMANDS are a property list."
  (scene-open (list (scene-rule "x" "yz")) text :commands commands))

(defun scene-argument (command)
  "What the server got as the argument of COMMAND last, nil if nothing."
  (let ((found (car (last (seq-filter (lambda (params) (equal (plist-get params :command) command))
                                      (scene-received "workspace/executeCommand"))))))
    (and (plist-get found :arguments) (aref (plist-get found :arguments) 0))))

(defun scene-asked ()
  "The columns of the questions that the server got."
  (mapcar (lambda (params) (plist-get (plist-get params :position) :character))
          (scene-received "textDocument/inlineCompletion")))

(defun scene-ask (method &optional params)
  "Ask the server METHOD with PARAMS; all it sends because of it has arrived then."
  (setq scene-result 'waiting)
  (ghostfill--request ghostfill--server method (or params '(:messages []))
                      (lambda (result) (setq scene-result (list result))))
  (scene-until (consp scene-result)))

(defun scene-ask-in (buffer method &optional params)
  "As `scene-ask' with METHOD and PARAMS, from BUFFER."
  (with-current-buffer buffer (scene-ask method params)))

(defun scene-settle ()
  "Wait until all questions are sent and answered."
  (scene-until (not ghostfill--timer))
  (scene-ask :fake/emit))

(defun scene-screen ()
  "The current buffer as it looks, ghost text included."
  (let ((overlays (seq-filter (lambda (overlay) (eq (overlay-buffer overlay) (current-buffer)))
                              ghostfill--overlays))
        (at (point-min)) (text ""))
    (dolist (overlay (sort (copy-sequence overlays)
                           (lambda (a b) (< (overlay-start a) (overlay-start b)))))
      (setq text (concat text (buffer-substring-no-properties at (overlay-start overlay))
                         (replace-regexp-in-string
                          "\\` \n" "\n"
                          (or (overlay-get overlay 'display)
                              (concat (buffer-substring-no-properties (overlay-start overlay)
                                                                      (overlay-end overlay))
                                      (overlay-get overlay 'after-string)))))
            at (overlay-end overlay)))
    (substring-no-properties (concat text (buffer-substring-no-properties at (point-max))))))

(defun scene-shows (text)
  "Wait until the buffer looks like TEXT."
  (scene-until (equal (scene-screen) text)))

(defun scene-messages-buffer ()
  "All that was said to the user."
  (with-current-buffer (messages-buffer) (buffer-string)))

(provide 'ghostfill-scene)
;;; ghostfill-scene.el ends here
