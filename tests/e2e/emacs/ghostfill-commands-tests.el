;;; ghostfill-commands-tests.el --- What a user runs by name -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)

(defun commands-words ()
  "What the mode line says."
  (nth 1 (ghostfill--mode-line)))

;;;; State

(ert-deftest the-mode-line-shows-every-state ()
  (scene-run
    (scene-open nil)
    (scene-until (equal (commands-words) "ready"))
    (cl-flet ((say (method params) (scene-ask :fake/emit (list :messages (vector (list :method method :params params))))))
      (say "$/progress" '(:token "t" :value (:kind "begin" :title "model" :percentage 0)))
      (should (equal (commands-words) "model 0%%"))
      (say "$/progress" '(:token "t" :value (:kind "report" :message "loading" :percentage 40)))
      (should (equal (commands-words) "loading 40%%"))
      (say "$/progress" '(:token "t" :value (:kind "end")))
      (should (equal (commands-words) "ready"))
      (dolist (row '(("Normal" t "" "busy") ("Normal" :json-false "" "ready")
                     ("Warning" :json-false "slow" "warning") ("Error" :json-false "the engine is gone" "error")
                     ("Inactive" :json-false "Inline completion is off for python." "off")
                     ("Inactive" :json-false "Inline completion is snoozed." "snoozed")))
        (pcase-let ((`(,kind ,busy ,message ,words) row))
          (say "didChangeStatus" (list :kind kind :busy busy :message message))
          (should (equal (commands-words) words))
          (should (equal (get-text-property 0 'help-echo (commands-words))
                         (if (equal message "") "ready" message)))))
      (should (string-match-p "ghostfill: the engine is gone" (scene-messages-buffer))))))

(ert-deftest switches-are-the-servers-and-its-answer-is-shown ()
  (scene-run
    (scene-open-commands "x = 1" :ghostfill.toggle '(:result (:enabled :json-false :message "Off it is."))
                   :ghostfill.snooze '(:result (:message "Good night.")))
    (ghostfill-toggle)
    (scene-until (string-match-p "ghostfill: Off it is\\." (scene-messages-buffer)))
    (should-not (scene-argument "ghostfill.toggle"))
    (ghostfill-toggle-language)
    (scene-ask :fake/emit)
    (should (equal (scene-argument "ghostfill.toggle") '(:language "python")))
    (ghostfill-snooze 0)
    (scene-until (string-match-p "ghostfill: Good night\\." (scene-messages-buffer)))
    (should (equal (scene-argument "ghostfill.snooze") '(:minutes 0)))
    (ghostfill-restart-engine)
    (scene-until (string-match-p "the engine is started again" (scene-messages-buffer)))))

(ert-deftest commands-without-a-server-say-why ()
  (scene-run
    (with-temp-buffer
      (should (string-match-p "off in this buffer"
                              (cadr (should-error (ghostfill-explain) :type 'user-error)))))))

(ert-deftest every-command-of-the-map-exists ()
  (dolist (map (list ghostfill-command-map ghostfill-shown-map))
    (map-keymap (lambda (_ binding)
                  (when (and (symbolp binding) binding) (should (commandp binding))))
                map)))

;;;; Fix and document

(defconst commands-broken "# 😋 é\nx = 1 +\ny = 2\n")

(defun commands-edit (&optional version)
  "The server's edit of main.py: repairs the second line, of VERSION."
  (list :documentChanges
        (vector (list :textDocument (list :uri (ghostfill--uri (scene-file "work/main.py")) :version version)
                      :edits (vector '(:range (:start (:line 0 :character 2) :end (:line 0 :character 4))
                                              :newText "yes")
                                     '(:range (:start (:line 1 :character 7) :end (:line 1 :character 7))
                                              :newText " 1\r\nz = 3"))))))

(defun commands-fix (says version &optional meanwhile)
  "Fix the second line; the user SAYS something to the diff.
The server's edit is of VERSION.  MEANWHILE runs while the user looks."
  (scene-open-commands commands-broken :ghostfill.fix (list :result (list :edit (commands-edit version) :message "I would do this.")))
  (let (asked)
    (cl-letf (((symbol-function 'y-or-n-p)
               (lambda (prompt)
                 (setq asked (cons prompt (with-current-buffer "*ghostfill fix*"
                                            (buffer-substring-no-properties (point-min) (point-max)))))
                 (when meanwhile (with-current-buffer "main.py" (funcall meanwhile)))
                 says)))
      (goto-char (point-min))
      (forward-line 1)
      (ghostfill-fix)
      (scene-until asked))
    asked))

(ert-deftest a-fix-is-shown-as-a-diff-and-is-one-step-of-undo ()
  (scene-run
    (pcase-let ((`(,prompt . ,diff) (commands-fix t 1)))
      (should (string-match-p "I would do this\\..*Apply\\?" prompt))
      (should (string-match-p "^-x = 1 \\+\n-?.*\\(?:.*\n\\)*?\\+x = 1 \\+ 1\n\\+z = 3\n y = 2" diff))
      (should (equal (buffer-string) "# yes é\nx = 1 + 1\nz = 3\ny = 2\n"))
      (should-not (get-buffer "*ghostfill fix*"))
      (should (equal (plist-get (scene-argument "ghostfill.fix") :apply) :json-false))
      (should (equal (plist-get (scene-argument "ghostfill.fix") :position) '(:line 1 :character 0)))
      (scene-press "C-_")
      (should (equal (buffer-string) commands-broken)))))

(ert-deftest a-fix-that-is-refused-changes-nothing ()
  (scene-run
    (commands-fix nil 1)
    (should (equal (buffer-string) commands-broken))))

(ert-deftest a-fix-of-another-version-is-not-applied ()
  (scene-run
    (commands-fix t 7)
    (should (equal (buffer-string) commands-broken))
    (should (string-match-p "the text has changed meanwhile" (scene-messages-buffer)))))

(ert-deftest a-fix-for-a-text-that-changed-under-the-diff-is-not-applied ()
  (scene-run
    (commands-fix t 1 (lambda () (goto-char (point-max)) (insert "more\n")))
    (should (equal (buffer-string) (concat commands-broken "more\n")))))

(ert-deftest a-region-and-flymakes-findings-go-along ()
  (scene-run
    (scene-open-commands commands-broken :ghostfill.fix '(:result (:edit nil :message "Nothing to fix.")))
    (setq-local flymake-diagnostic-functions
                (list (lambda (report &rest _)
                        (funcall report (list (flymake-make-diagnostic (current-buffer) 8 10 :warning "odd"))))))
    (flymake-mode)
    (flymake-start)
    (scene-until (flymake-diagnostics))
    (transient-mark-mode)
    (goto-char 7)
    (push-mark 12 t t)
    (ghostfill-fix)
    (deactivate-mark)
    (scene-until (string-match-p "Nothing to fix" (scene-messages-buffer)))
    (let ((argument (scene-argument "ghostfill.fix")))
      (should (equal (plist-get argument :range) '(:start (:line 1 :character 0) :end (:line 1 :character 5))))
      (should (equal (plist-get (aref (plist-get argument :diagnostics) 0) :severity) 2)))))

(ert-deftest flychecks-findings-go-along-where-it-is-there ()
  (scene-run
    (scene-open-commands commands-broken :ghostfill.fix '(:result (:edit nil :message "Nothing to fix.")))
    (cl-letf (((symbol-function 'flycheck-error-buffer) (lambda (found) (nth 0 found)))
              ((symbol-function 'flycheck-error-line) (lambda (found) (nth 1 found)))
              ((symbol-function 'flycheck-error-level) (lambda (found) (nth 2 found)))
              ((symbol-function 'flycheck-error-message) (lambda (found) (nth 3 found)))
              ((symbol-function 'flycheck-error-level-compilation-level)
               (lambda (level) (alist-get level '((error . 2) (warning . 1) (info . 0)))))
              ((symbol-function 'flycheck-error-region-for-mode)
               (lambda (found _mode) (save-excursion (goto-char (point-min)) (forward-line (1- (nth 1 found)))
                                                     (cons (point) (1+ (point)))))))
      (setq-local flycheck-mode t
                  flycheck-current-errors (list (list (current-buffer) 2 'error "odd") (list (current-buffer) 3 'info "elsewhere")
                                                (list nil 2 'error "of another") (list (current-buffer) nil 'error "of the file")))
      (goto-char (point-min))
      (forward-line 1)
      (ghostfill-fix)
      (scene-until (scene-argument "ghostfill.fix"))
      (should (equal (scene-argument "ghostfill.fix")
                     (list :uri (ghostfill--uri (scene-file "work/main.py")) :position '(:line 1 :character 0)
                           :diagnostics [(:range (:start (:line 1 :character 0) :end (:line 1 :character 1))
                                          :severity 1 :message "odd")]
                           :apply :json-false))))))

(ert-deftest a-note-goes-along-and-its-fix-is-a-diff-too ()
  (scene-run
    (scene-open-commands commands-broken :ghostfill.fix (list :result (list :edit (commands-edit) :message "So.")))
    (let (asked)
      (cl-letf (((symbol-function 'y-or-n-p)
                 (lambda (_) (setq asked (with-current-buffer "*ghostfill fix*" (buffer-string))) t))
                ((symbol-function 'read-string) (lambda (&rest _) " say yes ")))
        (dolist (ask (list (lambda () (let ((current-prefix-arg '(4))) (call-interactively #'ghostfill-fix)))
                           (lambda () (call-interactively #'ghostfill-fix-with-note))))
          (setq asked nil)
          (erase-buffer)
          (insert commands-broken)
          (goto-char (point-min))
          (funcall ask)
          (scene-until asked)
          (should (string-match-p "^\\+# yes" asked))
          (should (equal (plist-get (scene-argument "ghostfill.fix") :note) "say yes"))))
      (cl-letf (((symbol-function 'read-string) (lambda (&rest _) " ")))
        (should-error (call-interactively #'ghostfill-fix-with-note) :type 'user-error)))))

(ert-deftest a-fix-can-be-cancelled ()
  (scene-run
    (scene-open-commands commands-broken :ghostfill.fix (list :hold t :result (list :edit (commands-edit 1))))
    (ghostfill-fix)
    (scene-until (scene-argument "ghostfill.fix"))
    (scene-press "C-c \\ C-g")
    (scene-until (scene-received "$/cancelRequest"))
    (scene-ask :fake/release)
    (should (equal (buffer-string) commands-broken))))

(ert-deftest a-docstring-is-written-as-one-step-of-undo ()
  (scene-run
    (scene-open-commands commands-broken :ghostfill.document (list :result (list :edit (commands-edit 1))))
    (ghostfill-document)
    (scene-until (string-prefix-p "# yes" (buffer-string)))
    (scene-press "C-_")
    (should (equal (buffer-string) commands-broken))))

(ert-deftest an-error-of-the-server-is-a-sentence-for-the-user ()
  (scene-run
    (scene-open-commands "" :ghostfill.document '(:error (:code -32603 :message "There is no function here.")))
    (ghostfill-document)
    (scene-until (string-match-p "ghostfill: There is no function here\\." (scene-messages-buffer)))))

(ert-deftest an-edit-that-the-server-applies-itself-is-made-and-confirmed ()
  (scene-run
    (scene-open-commands commands-broken)
    (scene-ask :fake/emit (list :messages (vector (list :id "e1" :method "workspace/applyEdit"
                                                        :params (list :edit (commands-edit 1))))))
    (should (string-prefix-p "# yes" (buffer-string)))
    (scene-ask :fake/emit)
    (should (member '(:applied t) (mapcar (lambda (message) (plist-get message :result)) (scene-messages))))))

;;;; Context

(ert-deftest the-context-is-a-table-and-pieces-that-fold ()
  (scene-run
    (scene-open-commands
     "x = 1" :ghostfill.showContext
     '(:result
       (:uri "file:///page.html" :path "/page.html"
        :report (:file "main.py" :line 1 :column 6 :prompt_tokens 30 :limit_tokens 4096 :num_tokens 20
                 :cached_tokens nil :notes ["The index is not complete."]
                 :segments [(:section "near" :path "b.py" :kind "code" :reason "imported" :num_tokens 5
                             :cached "no" :text "b = 2\n" :start 3)
                            (:section "frozen" :path "a.py" :kind "map" :reason "imported\nhere" :num_tokens 15
                             :cached "yes" :text "a = 1\n" :start 0)]
                 :around [(:section "prefix" :path "main.py" :kind "code" :reason "" :num_tokens 5 :cached "no"
                           :text "x = 1" :start nil)]
                 :left_out [(:path "c.py" :reason "too far" :num_tokens 100)]))))
    (ghostfill-show-context)
    (scene-until (equal (buffer-name (window-buffer)) "*ghostfill context*"))
    (set-buffer (window-buffer))
    (let ((text (buffer-substring-no-properties (point-min) (point-max))))
      (should (string-prefix-p
               (concat "main.py:1:6  open as a page\n"
                       "prompt 30 tokens of 4096 with the answer, 20 of other files, unknown cached\n"
                       "The index is not complete.\n\n"
                       "tokens  cached    part      kind  file     reason\n"
                       "    15  yes       frozen    map   a.py     imported here\n"
                       "     5  no        near      code  b.py     imported\n"
                       "     5  not sent  prefix    code  main.py\n"
                       "   100            left out        c.py     too far\n\n"
                       "> a.py (frozen, 15 tokens)\n  a = 1\n")
               text)))
    (goto-char (point-min))
    (search-forward "  a = ")
    (should (invisible-p (point)))
    (let (opened)
      (cl-letf (((symbol-function 'browse-url-of-file) (lambda (file) (setq opened file))))
        (goto-char (point-min))
        (forward-button 1)
        (push-button)
        (should (equal opened "/page.html"))))))

(provide 'ghostfill-commands-tests)
;;; ghostfill-commands-tests.el ends here
