;;; ghostfill-eglot-tests.el --- Beside Eglot's server, and as Eglot's server -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)
(require 'eglot)
(require 'ghostfill-eglot)

(setq eglot-sync-connect 10 eglot-autoreconnect nil eglot-autoshutdown nil
      eglot-extend-to-xref nil)

(defun eglot-tests-connect (contact)
  "Let Eglot manage the current buffer with CONTACT."
  (let ((eglot-server-programs `((python-mode . ,contact))) (inhibit-message t))
    (apply #'eglot--connect (eglot--guess-contact))
    (scene-until (eglot-managed-p))))

(defun eglot-tests-end ()
  "End Eglot's server of the current buffer."
  (when-let ((server (eglot-current-server)))
    (let ((inhibit-message t)) (ignore-errors (eglot-shutdown server nil 2)))))

(ert-deftest ghost-text-lives-beside-another-server-of-eglot ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")))
    (let ((script (scene-file "other.json")))
      (copy-file (scene-file "script.json") script)
      (eglot-tests-connect (list (getenv "GHOSTFILL_PYTHON") (getenv "GHOSTFILL_FAKE") script
                                 (scene-file "other.jsonl"))))
    (unwind-protect
        (progn
          (scene-type "x = ")
          (scene-shows "x = alpha()")
          (scene-press "TAB")
          (should (equal (buffer-string) "x = alpha()"))
          (should (memq ghostfill--server ghostfill--servers))
          (should-not (cl-typep (eglot-current-server) 'ghostfill-eglot-server))
          (with-temp-buffer
            (insert-file-contents (scene-file "other.jsonl"))
            (should (string-match-p "didOpen" (buffer-string)))
            (should-not (string-match-p "inlineCompletion" (buffer-string)))))
      (eglot-tests-end))))

(ert-deftest as-eglots-server-one-process-does-it-all ()
  (scene-run
    (scene-script (list (scene-rule "# 😋x = " "alpha()") (scene-held "x" "y")))
    (set-default 'ghostfill-command (scene-command))
    (set-default 'ghostfill-settings '(:inline (:maxLines 3)))
    (scene-visit "main.py" "# 😋")
    (eglot-tests-connect #'ghostfill-eglot-contact)
    (unwind-protect
        (progn
          (ghostfill-mode)
          (should (eq (ghostfill-server-connection ghostfill--server) (eglot-current-server)))
          (scene-type "x = ")
          (scene-shows "# 😋x = alpha()")
          (let ((asked (car (scene-received "textDocument/inlineCompletion"))))
            (should (equal (plist-get asked :position) '(:line 0 :character 8))))
          (let ((said (car (scene-received "initialize"))))
            (should (equal (plist-get said :initializationOptions)
                           '(:inline (:maxLines 3) :client (:status t))))
            (should (plist-member (plist-get (plist-get said :capabilities) :textDocument)
                                  :inlineCompletion)))
          (scene-press "M-f C-g")
          (should (equal (buffer-string) "# 😋x = alpha"))
          (scene-ask :fake/emit '(:messages [(:method "didChangeStatus"
                                              :params (:kind "Error" :busy :json-false :message "gone"))
                                             (:method "$/progress"
                                              :params (:token "t" :value (:kind "begin" :title "loading"
                                                                          :percentage 40)))]))
          (should (equal (nth 1 (ghostfill--mode-line)) "loading 40%%"))
          (should (= 1 (length (scene-received "initialize"))))
          (should (= 1 (length (scene-received "textDocument/didOpen")))))
      (eglot-tests-end))))

(ert-deftest when-eglot-takes-over-the-connection-changes ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")))
    (eglot-tests-connect #'ghostfill-eglot-contact)
    (should (eq (ghostfill-server-connection ghostfill--server) (eglot-current-server)))
    (scene-type "x = ")
    (scene-shows "x = alpha()")
    (eglot-tests-end)
    (scene-until (memq ghostfill--server ghostfill--servers))
    (scene-ready)
    (scene-press "DEL SPC")
    (scene-shows "x = alpha()")))

(ert-deftest questions-over-eglots-connection-are-cancelled ()
  (scene-run
    (scene-script (list (scene-held "x" "y") (scene-held "xz" "y")))
    (set-default 'ghostfill-command (scene-command))
    (scene-visit "main.py" "")
    (eglot-tests-connect #'ghostfill-eglot-contact)
    (unwind-protect
        (progn
          (ghostfill-mode)
          (scene-type "x")
          (scene-until (equal (scene-asked) '(1)))
          (scene-type "z")
          (scene-until (equal (scene-asked) '(1 2)))
          (should (= 1 (length (scene-received "$/cancelRequest")))))
      (eglot-tests-end))))

(provide 'ghostfill-eglot-tests)
;;; ghostfill-eglot-tests.el ends here
