;;; ghostfill-accepting-tests.el --- Typing through, accepting, choosing, dismissing -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)
(require 'elec-pair)

(defun accepting-shown (rules typed shown &optional text)
  "A buffer with TEXT where RULES hold, TYPED was typed and SHOWN is on the screen."
  (scene-open rules text)
  (buffer-enable-undo)
  (scene-type typed)
  (scene-shows shown))

;;;; Typed through

(ert-deftest what-is-typed-through-stays-while-the-server-is-silent ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()") (scene-held "x = a" "lpha()") (scene-held "x = al" "pha()"))
                     "x = " "x = alpha()")
    (dolist (key '("a" "l"))
      (let (frames)
        (add-hook 'post-self-insert-hook (lambda () (push (scene-screen) frames)) nil t)
        (scene-type key)
        (push (scene-screen) frames)
        (should (equal (delete-dups frames) '("x = alpha()")))))
    (should (equal (buffer-string) "x = al"))))

(ert-deftest a-line-end-with-automatic-indentation-is-typed-through ()
  (scene-run
    (accepting-shown (list (scene-rule "def f():" "\n    return 1") (scene-held "    " "") (scene-held "re" ""))
                     "def f():" "def f():\n    return 1")
    (electric-indent-mode 1)
    (scene-press "RET r e")
    (should (equal (buffer-string) "def f():\n    re"))
    (should (equal (scene-screen) "def f():\n    return 1"))))

(ert-deftest another-character-hides-it-at-once ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()") (scene-held "x = b" "eta()")) "x = " "x = alpha()")
    (scene-type "b")
    (should (equal (scene-screen) "x = b"))))

(ert-deftest brackets-that-the-editor-closes-are-typed-through-and-not-doubled ()
  (scene-run
    (accepting-shown (list (scene-rule "print" "(add(1, 2))") (scene-held "" "")) "print" "print(add(1, 2))")
    (electric-pair-local-mode 1)
    (scene-type "(")
    (should (equal (buffer-string) "print()"))
    (should (equal (scene-screen) "print(add(1, 2))"))
    (scene-type "add(1")
    (should (equal (buffer-string) "print(add(1))"))
    (should (equal (scene-screen) "print(add(1, 2))"))
    (scene-press "TAB")
    (should (equal (buffer-string) "print(add(1, 2))"))
    (should (eobp))))

(ert-deftest words-are-accepted-over-an-automatic-bracket ()
  (scene-run
    (accepting-shown (list (scene-rule "print" "(x) + 1") (scene-held "" "")) "print" "print(x) + 1")
    (electric-pair-local-mode 1)
    (scene-type "(")
    (dolist (text '("print(x)" "print(x)" "print(x) +" "print(x) + 1"))
      (scene-press "M-f")
      (should (equal (buffer-string) text))
      (should (equal (scene-screen) "print(x) + 1")))))

;;;; Accepting

(ert-deftest tab-accepts-all-and-the-server-hears-it ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()")) "x = " "x = alpha()")
    (scene-press "TAB")
    (should (equal (buffer-string) "x = alpha()"))
    (should (eobp))
    (scene-settle)
    (should (equal (scene-received "workspace/executeCommand")
                   '((:command "ghostfill.accepted" :arguments [(:id "c1")]))))))

(ert-deftest an-acceptance-is-one-step-of-undo ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha(\n    1)")) "" "")
    (dolist (undone '(("C-_" . "x = alpha(\n    1)") ("C-_ C-_" . "x = ")))
      (scene-type "x = ")
      (scene-shows "x = alpha(\n    1)")
      (scene-press "TAB")
      (scene-type "  # yes")
      (scene-press (car undone))
      (should (equal (buffer-string) (cdr undone)))
      (erase-buffer))))

(ert-deftest undo-asks-for-nothing ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()")) "x = " "x = alpha()")
    (scene-press "TAB")
    (scene-settle)
    (let ((asked (length (scene-asked))))
      (scene-press "C-_")
      (scene-settle)
      (should (equal (scene-screen) "x = "))
      (should (= (length (scene-asked)) asked)))))

(ert-deftest words-are-accepted-and-reported-in-utf-16-units ()
  (scene-run
    (accepting-shown (list (scene-rule "x" " = 😋 + é1") (scene-held "" "")) "x" "x = 😋 + é1")
    (let (texts)
      (dotimes (_ 4)
        (scene-press "M-<right>")
        (push (buffer-string) texts)
        (should (equal (scene-screen) "x = 😋 + é1")))
      (should (equal (nreverse texts) '("x =" "x = 😋" "x = 😋 +" "x = 😋 + é1"))))
    (scene-ask :fake/emit)
    (should (equal (mapcar (lambda (params) (plist-get params :acceptedLength))
                           (scene-received "textDocument/didPartiallyAcceptCompletion"))
                   '(2 5 7)))
    (should (= (length (scene-received "workspace/executeCommand")) 1))))

(ert-deftest lines-are-accepted-one-by-one ()
  (scene-run
    (accepting-shown (list (scene-rule "f(" "1,\n  2,\n  3)") (scene-held "" "")) "f(" "f(1,\n  2,\n  3)")
    (scene-press "C-e")
    (should (equal (buffer-string) "f(1,"))
    (scene-press "M-<down>")
    (should (equal (buffer-string) "f(1,\n  2,"))
    (should (equal (scene-screen) "f(1,\n  2,\n  3)"))
    (scene-press "C-e")
    (should (equal (buffer-string) "f(1,\n  2,\n  3)"))))

(ert-deftest what-comes-next-is-asked-after-an-acceptance ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()") (scene-rule "alpha()" " + 1")) "x = " "x = alpha()")
    (scene-press "TAB")
    (scene-shows "x = alpha() + 1")))

;;;; Choosing

(ert-deftest next-and-previous-go-around-and-the-label-counts ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha" "beta" "gamma")) "x = " "x = alpha")
    (dolist (step '(("M-n" "beta" "2/3") ("M-n" "gamma" "3/3") ("M-n" "alpha" "1/3") ("M-p" "gamma" "3/3")))
      (scene-press (car step))
      (scene-shows (concat "x = " (nth 1 step)))
      (should (equal (ghostfill--label) (nth 2 step)))
      (should (string-match-p (nth 2 step) (apply #'concat (ghostfill--mode-line)))))
    (should (equal (mapcar (lambda (params) (plist-get (plist-get params :context) :triggerKind))
                           (scene-received "textDocument/inlineCompletion"))
                   '(2 1)))))

(ert-deftest a-chosen-one-stays-while-it-is-typed-through ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha" "beta") (scene-rule "x = b" "anana")) "x = " "x = alpha")
    (scene-press "M-n")
    (scene-shows "x = beta")
    (scene-type "b")
    (scene-settle)
    (should (equal (scene-screen) "x = beta"))
    (scene-press "TAB")
    (should (equal (buffer-string) "x = beta"))))

(ert-deftest steps-pressed-while-waiting-are-all-taken ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha" "beta" "gamma")) "x = " "x = alpha")
    (scene-script (list (scene-rule "x = " "alpha" "beta" "gamma")))
    (scene-press "M-n M-n")
    (scene-shows "x = gamma")))

(ert-deftest the-trigger-command-asks-at-once ()
  (scene-run
    (let ((ghostfill-auto nil))
      (scene-open (list (scene-rule "x" "yz")))
      (scene-type "x")
      (scene-ask :fake/emit)
      (should (equal (scene-asked) nil))
      (scene-press "C-c \\ \\")
      (scene-shows "xyz")
      (should (equal (plist-get (car (scene-received "textDocument/inlineCompletion")) :context)
                     '(:triggerKind 1))))))

;;;; Dismissing

(ert-deftest control-g-hides-it-and-the-server-remembers-the-place ()
  (scene-run
    (accepting-shown (list (scene-rule "x = " "alpha()")) "" "")
    (dolist (keys '("C-g" "ESC ESC ESC"))
      (scene-type "x = ")
      (scene-shows "x = alpha()")
      (scene-press keys)
      (should (equal (scene-screen) "x = "))
      (scene-ask :fake/emit)
      (let ((said (car (last (scene-received "workspace/executeCommand")))))
        (should (equal (plist-get said :command) "ghostfill.dismissed"))
        (should (equal (plist-get (aref (plist-get said :arguments) 0) :id) "c1"))
        (should (equal (plist-get (aref (plist-get said :arguments) 0) :position) '(:line 0 :character 4))))
      (should (= 1 (length (delete-dups (scene-asked)))))
      (erase-buffer))))

(provide 'ghostfill-accepting-tests)
;;; ghostfill-accepting-tests.el ends here
