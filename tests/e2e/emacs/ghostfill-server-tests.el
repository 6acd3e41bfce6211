;;; ghostfill-server-tests.el --- What is said to servers, and how they live -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)

;;;; Requests

(ert-deftest positions-are-utf-16-behind-an-emoji ()
  (scene-run
    (scene-open (list (scene-rule "# 😋é " (scene-item "# 😋é yes)" :range (scene-span 0 7)))) "# 😋é)")
    (goto-char 5)
    (scene-type " ")
    (scene-shows "# 😋é yes)")
    (should (equal (scene-asked) '(6)))
    (scene-press "TAB")
    (should (equal (buffer-string) "# 😋é yes)"))))

(ert-deftest units-agree-with-encoded-lengths ()
  (let ((text "a😋é漢\u0301b\U00010000"))
    (dolist (row '(("utf-8" utf-8 1) ("utf-16" utf-16le 2) ("utf-32" utf-32le 4)))
      (pcase-let ((`(,encoding ,codec ,size) row))
        (dotimes (length (1+ (length text)))
          (let* ((start (substring text 0 length))
                 (units (if (eq codec 'utf-32le) (length start)
                          (/ (string-bytes (encode-coding-string start codec)) size))))
            (should (= (ghostfill--units start encoding) units))
            (should (= (ghostfill--chars text units encoding) length))))))))

(ert-deftest a-narrowed-buffer-has-the-positions-of-the-whole ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")) "# one\n# two\n")
    (narrow-to-region (point-max) (point-max))
    (scene-type "x = ")
    (scene-shows "x = alpha()")
    (let ((asked (car (scene-received "textDocument/inlineCompletion"))))
      (should (equal (plist-get asked :position) '(:line 2 :character 4))))))

(ert-deftest an-answer-to-an-older-text-is-dropped ()
  (scene-run
    (scene-open (list (scene-held "first" "_old")))
    (scene-type "first")
    (scene-until (equal (scene-asked) '(5)))
    (scene-type "2")
    (scene-until (equal (scene-asked) '(5 6)))
    (scene-ask :fake/release)
    (should (equal (scene-screen) "first2"))
    (should-not (scene-received "textDocument/didShowCompletion"))))

(ert-deftest the-older-request-is-cancelled-and-each-change-asks-once ()
  (scene-run
    (scene-open (list (scene-held "a" "_") (scene-held "ab" "_")))
    (scene-type "a")
    (scene-until (equal (scene-asked) '(1)))
    (scene-type "b")
    (scene-until (equal (scene-asked) '(1 2)))
    (should (= (length (scene-received "$/cancelRequest")) 1))
    (scene-press "C-b")
    (scene-ask :fake/emit)
    (let ((ids (cl-loop for message in (scene-messages)
                        when (equal (plist-get message :method) "textDocument/inlineCompletion")
                        collect (plist-get message :id))))
      (should (equal (mapcar (lambda (params) (plist-get params :id)) (scene-received "$/cancelRequest"))
                     ids)))))

(ert-deftest fast-keys-are-one-question-with-the-newest-text ()
  (scene-run
    (scene-open (list (scene-rule "abc" "def")))
    (scene-type "abc")
    (scene-shows "abcdef")
    (should (equal (scene-asked) '(3)))))

(ert-deftest what-a-loading-engine-could-not-answer-is-asked-again ()
  (scene-run
    (scene-open nil)
    (scene-type "x")
    (scene-until (equal (scene-asked) '(1)))
    (let ((ready '(:messages [(:method "didChangeStatus"
                               :params (:kind "Normal" :busy :json-false :message "toy on cpu"))])))
      (scene-ask :fake/emit ready)
      (scene-until (equal (scene-asked) '(1 1)))
      (scene-ask :fake/emit ready)
      (scene-type "y")
      (scene-until (equal (scene-asked) '(1 1 2))))))

(ert-deftest what-is-typed-before-the-server-runs-is-asked-then ()
  (scene-run
    (scene-script (list (scene-rule "x" "yz")))
    (set-default 'ghostfill-command (scene-command))
    (scene-visit "main.py" "")
    (ghostfill-mode)
    (scene-type "x")
    (scene-shows "xyz")))

(ert-deftest flymakes-findings-are-told-once ()
  (scene-run
    (scene-open (list (scene-rule "x = " "1")))
    (flymake-mode)
    (setq flymake-diagnostic-functions
          (list (lambda (report &rest _)
                  (funcall report (list (flymake-make-diagnostic (current-buffer) 1 3 :error "no such name"))))))
    (scene-type "x = ")
    (flymake-start)
    (scene-until (flymake-diagnostics))
    (scene-type "y ")
    (scene-settle)
    (scene-type "z")
    (scene-settle)
    (let ((told (scene-received "ghostfill/didChangeDiagnostics")))
      (should (= (length told) 1))
      (should (equal (plist-get (aref (plist-get (car told) :diagnostics) 0) :message) "no such name")))))

;;;; Texts

(defun server-tests-apply (text change)
  "TEXT after CHANGE of LSP in UTF-16, the slow and obvious way."
  (if (not (plist-get change :range))
      (plist-get change :text)
    (cl-flet ((offset (position)
                (with-temp-buffer
                  (insert text)
                  (goto-char (point-min))
                  (forward-line (plist-get position :line))
                  (let ((left (plist-get position :character)))
                    (while (> left 0)
                      (setq left (- left (if (> (char-after) #xffff) 2 1)))
                      (forward-char)))
                  (1- (point)))))
      (concat (substring text 0 (offset (plist-get (plist-get change :range) :start)))
              (plist-get change :text)
              (substring text (offset (plist-get (plist-get change :range) :end)))))))

(ert-deftest changes-give-the-server-the-buffers-text ()
  "Two hundred edits of all kinds, sent in pieces, against a replay of what was sent."
  (scene-run
    (scene-open nil "one 😋\ntwo\n\tthree é\n")
    (setf (ghostfill-server-capabilities ghostfill--server) '(:textDocumentSync (:change 2)))
    (let ((told (buffer-string)) sent num-ranges)
      (setq num-ranges 0)
      (random "ghostfill")
      (cl-letf (((symbol-function 'ghostfill--notify)
                 (lambda (_ method params)
                   (when (eq method :textDocument/didChange)
                     (seq-do (lambda (change)
                               (when (plist-get change :range) (cl-incf num-ranges))
                               (setq told (server-tests-apply told change)))
                             (plist-get params :contentChanges))
                     (setq sent t)))))
        (dotimes (_ 200)
          (let* ((a (+ (point-min) (random (buffer-size)))) (b (min (point-max) (+ a (random 6)))))
            (goto-char a)
            (pcase (random 7)
              (0 (delete-region a b))
              (1 (insert "é😋\n"))
              (2 (insert "plain"))
              (3 (upcase-region a b))
              (4 (transpose-regions (point-min) a a b))
              (5 (combine-change-calls a b (goto-char a) (insert "q") (insert "r\n")))
              (6 (subst-char-in-region a b ?e ?E))))
          (when (= 0 (random 3))
            (ghostfill--flush)
            (should (equal told (buffer-string))))))
      (should sent)
      (should (> num-ranges 50)))))

(ert-deftest stray-bytes-do-not-break-the-connection ()
  (scene-run
    (scene-open (list (scene-rule "x" "yz")) (concat "# " (string #x3fffe9 #xd800) "\n"))
    (scene-type "x")
    (scene-until (string-suffix-p "xyz" (scene-screen)))
    (should (string-match-p
             "\\`# \ufffd+\n\\'"
             (plist-get (plist-get (car (scene-received "textDocument/didOpen")) :textDocument) :text)))))

(ert-deftest saving-renaming-and-killing-are-told ()
  (scene-run
    (scene-open nil "x = 1\n")
    (scene-type "y")
    (let ((inhibit-message t)) (save-buffer))
    (scene-ask :fake/emit)
    (should (= 1 (length (scene-received "textDocument/didSave"))))
    (let ((inhibit-message t)) (write-file (scene-file "work/other.py")))
    (scene-ask :fake/emit)
    (should (string-suffix-p "main.py" (plist-get (plist-get (car (scene-received "textDocument/didClose"))
                                                             :textDocument) :uri)))
    (should (string-suffix-p "other.py" (plist-get (plist-get (cadr (scene-received "textDocument/didOpen"))
                                                              :textDocument) :uri)))
    (let ((server ghostfill--server))
      (kill-buffer)
      (scene-visit "third.py" "")
      (ghostfill-mode)
      (should (eq ghostfill--server server))
      (scene-ask :fake/emit)
      (should (= 2 (length (scene-received "textDocument/didClose")))))))

(ert-deftest reverting-gives-the-server-the-new-text ()
  (scene-run
    (scene-open (list (scene-rule "new" "er")) "x = 1\n")
    (with-temp-file (scene-file "work/main.py") (insert "y = 2\n"))
    (let ((inhibit-message t)) (revert-buffer t t t))
    (goto-char (point-max))
    (scene-type "new")
    (scene-shows "y = 2\nnewer")))

;;;; Life

(ert-deftest buffers-of-one-root-share-a-server-and-another-root-has-its-own ()
  (scene-run
    (scene-open nil)
    (let ((server ghostfill--server))
      (scene-visit "other.py" "")
      (ghostfill-mode)
      (should (eq ghostfill--server server))
      (make-directory (scene-file "work/lib/.git") t)
      (scene-visit "lib/deep.py" "")
      (ghostfill-mode)
      (should-not (eq ghostfill--server server))
      (should (equal (ghostfill-server-root ghostfill--server) (scene-file "work/lib/")))
      (scene-ready))))

(ert-deftest a-server-that-dies-is-started-again-with-its-buffers ()
  (scene-run
    (scene-open (list (scene-rule "x" "yz")))
    (jsonrpc-async-request (ghostfill-server-connection ghostfill--server) :fake/die nil :error-fn #'ignore)
    (scene-until (= 2 (length (scene-received "textDocument/didOpen"))))
    (scene-ready)
    (scene-type "x")
    (scene-shows "xyz")))

(ert-deftest a-server-that-always-dies-is-given-up-and-started-on-demand ()
  (scene-run
    (scene-script nil :die 3)
    (set-default 'ghostfill-command (scene-command))
    (let ((ghostfill--restart-delays '(0.01 0.01 0.01)))
      (scene-visit "main.py" "")
      (ghostfill-mode)
      (scene-until (ghostfill-server-problem ghostfill--server))
      (should (string-match-p "ended 4 times (status 3)" (ghostfill-server-problem ghostfill--server)))
      (should (equal (nth 1 (ghostfill--mode-line)) "not running"))
      (scene-script (list (scene-rule "x" "yz")))
      (ghostfill-toggle)
      (scene-ready)
      (scene-type "x")
      (scene-shows "xyz"))))

(ert-deftest a-new-server-gets-the-new-settings ()
  (scene-run
    (scene-open (list (scene-rule "x" "yz")))
    (set-default 'ghostfill-settings '(:inline (:maxLines 3)))
    (ghostfill-restart-server)
    (scene-until (= 2 (length (scene-received "textDocument/didOpen"))))
    (should (equal (mapcar (lambda (params) (plist-get params :initializationOptions))
                           (scene-received "initialize"))
                   '((:client (:status t)) (:inline (:maxLines 3) :client (:status t)))))
    (should (equal ghostfill-settings '(:inline (:maxLines 3))))
    (scene-type "x")
    (scene-shows "xyz")))

(ert-deftest turning-the-mode-off-takes-everything-away ()
  (scene-run
    (scene-open (list (scene-rule "x" "yz")))
    (let ((server ghostfill--server))
      (scene-type "x")
      (scene-shows "xyz")
      (ghostfill-mode -1)
      (should (equal (scene-screen) "x"))
      (scene-type "y")
      (setq-local ghostfill--server server)
      (scene-ask :fake/emit)
      (should (equal (scene-asked) '(1)))
      (should (= 1 (length (scene-received "textDocument/didClose"))))
      (kill-local-variable 'ghostfill--server))))

(ert-deftest a-remote-file-starts-nothing-and-says-why ()
  (scene-run
    (scene-visit "main.py" "")
    (let ((file buffer-file-name))
      (setq buffer-file-name "/ssh:nobody@example.invalid:/tmp/main.py")
      (unwind-protect
          (progn
            (ghostfill-mode)
            (should-not ghostfill--servers)
            (should (equal (nth 1 (ghostfill--mode-line)) "off here"))
            (ghostfill-status)
            (should (string-match-p "the file is remote" (scene-messages-buffer)))
            (ghostfill-mode -1))
        (setq buffer-file-name file)))))

(ert-deftest the-global-mode-is-for-programs-and-can-be-told-otherwise ()
  (scene-run
    (scene-script nil)
    (set-default 'ghostfill-command (scene-command))
    (unwind-protect
        (progn
          (global-ghostfill-mode)
          (scene-visit "main.py" "")
          (should ghostfill-mode)
          (scene-visit "notes.txt" "" #'text-mode)
          (should-not ghostfill-mode)
          (let ((ghostfill-modes '((not python-mode) prog-mode)))
            (scene-visit "third.py" "")
            (should-not ghostfill-mode)))
      (global-ghostfill-mode -1))))

(provide 'ghostfill-server-tests)
;;; ghostfill-server-tests.el ends here
