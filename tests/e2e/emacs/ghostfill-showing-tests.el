;;; ghostfill-showing-tests.el --- Ghost text on the screen, against a scripted server -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)

(defconst showing-return "\n    return a + b\n\n\nprint(add(1, 2))")

(ert-deftest ghost-text-is-on-the-screen-and-not-in-the-buffer ()
  (scene-run
    (scene-open (list (scene-rule "def add(a, b):" showing-return)))
    (scene-type "def add(a, b):")
    (scene-shows (concat "def add(a, b):" showing-return))
    (should (equal (buffer-string) "def add(a, b):"))
    (should (eobp))))

(ert-deftest the-server-hears-once-what-was-shown ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()") (scene-rule "x = a" "lpha()") (scene-rule "x = al" "pha()")))
    (scene-type "x = ")
    (scene-shows "x = alpha()")
    (dolist (key '("a" "l"))
      (scene-type key)
      (scene-settle))
    (should (equal (scene-screen) "x = alpha()"))
    (let ((shown (scene-received "textDocument/didShowCompletion")))
      (should (= (length shown) 1))
      (should (equal (plist-get (plist-get (car shown) :item) :insertText) "alpha()")))))

(ert-deftest text-after-the-cursor-moves-to-its-new-place ()
  (scene-run
    (scene-open (list (scene-rule "print(" "add(1, 2)") (scene-rule "call(" "\n    1,\n")) "print()  # hello\ncall()")
    (goto-char 6)
    (scene-type "(")
    (scene-press "C-d")
    (scene-shows "print(add(1, 2))  # hello\ncall()")
    (goto-char (point-max))
    (backward-char 2)
    (scene-press "C-d (")
    (scene-shows "print()  # hello\ncall(\n    1,\n)")))

(ert-deftest a-replaced-tail-is-shown-once-and-replaced ()
  (scene-run
    (let ((item (scene-item "print(add(1, 2)) # sum" :range (scene-span 0 7))))
      (scene-open (list (scene-rule "print(" item)) "print)")
      (goto-char 6)
      (scene-type "(")
      (scene-shows "print(add(1, 2)) # sum")
      (scene-press "TAB")
      (should (equal (buffer-string) "print(add(1, 2)) # sum"))
      (should (eobp)))))

(ert-deftest a-tail-that-the-text-does-not-keep-is-covered ()
  (scene-run
    (scene-open (list (scene-rule "x = n" (scene-item "ew text" :range (scene-span 5 8)))) "x = old")
    (goto-char 5)
    (scene-type "n")
    (scene-shows "x = new text")
    (scene-press "TAB")
    (should (equal (buffer-string) "x = new text"))))

(ert-deftest a-snippet-is-shown-without-its-marks ()
  (scene-run
    (scene-open (list (scene-rule "x = " (scene-item '(:kind "snippet" :value "add(${1:first}, $2) costs \\$5$0")))))
    (scene-type "x = ")
    (scene-shows "x = add(first, ) costs $5")))

(ert-deftest the-cursor-stays-before-ghost-text ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")))
    (scene-type "x = ")
    (scene-shows "x = alpha()")
    (let ((text (overlay-get (car ghostfill--overlays) 'after-string)))
      (should (get-text-property 0 'cursor text))
      (should (eq (get-text-property 3 'face text) 'ghostfill-ghost)))))

(ert-deftest a-moved-cursor-a-region-and-read-only-text-hide-it ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")))
    (dolist (hide (list (lambda () (scene-press "C-b"))
                        (lambda () (transient-mark-mode) (scene-press "C-SPC C-a") (deactivate-mark))
                        (lambda () (scene-press "C-x C-q") (read-only-mode -1))))
      (erase-buffer)
      (scene-type "x = ")
      (scene-shows "x = alpha()")
      (funcall hide)
      (should (equal (scene-screen) "x = "))
      (should-not ghostfill--is-shown))))

(ert-deftest a-completion-popup-hides-it-and-typing-brings-it-back ()
  (scene-run
    (scene-open (list (scene-rule "pri" "nt()") (scene-rule "prin" "t()")))
    (scene-type "pri")
    (scene-shows "print()")
    (defvar company-candidates)
    (setq-local company-candidates '("private"))
    (run-hooks 'company-completion-started-hook)
    (should (equal (scene-screen) "pri"))
    (scene-type "n")
    (scene-settle)
    (should (equal (scene-screen) "prin"))
    (setq-local company-candidates nil)
    (run-hook-with-args 'company-after-completion-hook nil)
    (scene-shows "print()")
    (setq-local completion-in-region-mode t)
    (run-hooks 'completion-in-region-mode-hook)
    (should (equal (scene-screen) "prin"))
    (kill-local-variable 'completion-in-region-mode)
    (run-hooks 'completion-in-region-mode-hook)
    (scene-shows "print()")))

(ert-deftest with-evil-it-is-shown-in-insert-state-only ()
  (scene-run
    (defvar evil-local-mode)
    (let ((is-inserting t))
      (cl-letf (((symbol-function 'evil-insert-state-p) (lambda () is-inserting)))
        (scene-open (list (scene-rule "x = " "alpha()") (scene-rule "x = a" "lpha()")))
        (setq-local evil-local-mode t)
        (scene-type "x = ")
        (scene-shows "x = alpha()")
        (setq is-inserting nil)
        (scene-press "C-l")
        (should (equal (scene-screen) "x = "))
        (scene-type "a")
        (scene-ask :fake/emit)
        (should (equal (scene-asked) '(4)))))))

(ert-deftest another-buffer-hides-it ()
  (scene-run
    (scene-open (list (scene-rule "x = " "alpha()")))
    (scene-type "x = ")
    (scene-shows "x = alpha()")
    (let ((main (current-buffer)))
      (switch-to-buffer (get-buffer-create "*scratch*"))
      (ghostfill--on-window-change)
      (should-not ghostfill--offer)
      (switch-to-buffer main))))

(ert-deftest keys-mean-what-they-meant-while-nothing-is-shown ()
  (scene-run
    (scene-open nil "")
    (scene-press "TAB")
    (should (eq (key-binding (kbd "TAB")) 'indent-for-tab-command))
    (should (eq (key-binding (kbd "M-f")) 'forward-word))
    (should (eq (key-binding (kbd "C-g")) 'keyboard-quit))
    (should (equal (buffer-string) ""))))

(ert-deftest a-stale-offer-does-not-take-the-key ()
  "Something else changed the text between two keys: TAB means what it usually means."
  (scene-run
    (scene-open (list (scene-rule "if x:" "\n    y()") (scene-held "" "")))
    (scene-type "if x:")
    (scene-shows "if x:\n    y()")
    (save-excursion (goto-char (point-min)) (insert "# hello\n"))
    (scene-press "TAB")
    (should (equal (buffer-string) "# hello\nif x:"))))

(ert-deftest control-e-in-the-middle-of-a-line-goes-to-its-end ()
  (scene-run
    (scene-open (list (scene-rule "f(" "x")) "f)")
    (goto-char 2)
    (scene-type "(")
    (scene-shows "f(x)")
    (scene-press "C-e")
    (should (equal (buffer-string) "f()"))
    (should (eobp))))

(provide 'ghostfill-showing-tests)
;;; ghostfill-showing-tests.el ends here
