;;; ghostfill-explain-tests.el --- An explanation while it is written, and after -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)
(require 'ghostfill-explain)

(defun explain-header ()
  "What the header line of the current buffer says."
  (substring-no-properties (eval (cadr header-line-format) t)))

(defun explain-seen ()
  "The text of the current buffer that is not hidden."
  (let ((at (point-min)) (text ""))
    (while (< at (point-max))
      (let ((next (next-single-char-property-change at 'invisible)))
        (unless (get-text-property at 'invisible)
          (setq text (concat text (buffer-substring-no-properties at next))))
        (setq at next)))
    text))

(ert-deftest an-explanation-fills-while-it-is-made-and-its-links-are-buttons ()
  (scene-run
    (let* ((uri (concat (ghostfill--uri (scene-file "work/main.py")) "#L2"))
           (text (format "# Report\n\nCalls `add`, see [main.py](%s).\n" uri)))
      (scene-open-commands "x = 1\ny = 2\n" :ghostfill.explain
                     (list :hold t :result (list :title "report" :text text :uri "file:///page.md"
                                                 :files (vector (list :path "other.py" :uri "file:///other.py")))))
      (ghostfill-explain)
      (should (equal (buffer-name (window-buffer)) "*ghostfill explain*"))
      (scene-until (scene-argument "ghostfill.explain"))
      (let ((token (plist-get (scene-argument "ghostfill.explain") :token)))
        (with-current-buffer "*ghostfill explain*"
          (should (string-match-p "The model reads and writes.*C-c C-k stops it" (explain-header)))
          (scene-ask-in "main.py" :fake/emit
                        (list :messages (vector (list :method "$/progress"
                                                      :params '(:token "t" :value (:kind "begin" :message "loading chatty"
                                                                                   :percentage 40))))))
          (should (string-match-p "\\`loading chatty 40%%  C-c C-k" (explain-header)))
          (scene-ask-in "main.py" :fake/emit
                        (list :messages (vector (list :method "ghostfill/didExplain"
                                                      :params (list :token token :text "# Rep" :done :json-false))
                                                (list :method "ghostfill/didExplain"
                                                      :params (list :token "of another" :text "no" :done t)))))
          (should (equal (buffer-string) "# Rep"))
          (scene-ask-in "main.py" :fake/release)
          (should (equal (explain-seen) "Report\n\nCalls add, see main.py.\n\n\nFiles:\n  other.py\n"))
          (should-not header-line-format)
          (should-not (ghostfill-server-listeners (buffer-local-value 'ghostfill--server (get-buffer "main.py"))))
          (goto-char (point-min))
          (forward-button 1)
          (push-button))
        (set-buffer (window-buffer))
        (should (equal (buffer-name) "main.py"))
        (should (= (line-number-at-pos) 2))))))

(ert-deftest quitting-and-killing-an-explanation-stops-the-model ()
  (scene-run
    (scene-open-commands "x = 1\n" :ghostfill.explain '(:hold t :result (:text "late")))
    (dolist (stop (list (lambda () (quit-window nil (get-buffer-window "*ghostfill explain*")))
                        (lambda () (kill-buffer "*ghostfill explain*"))))
      (let ((before (length (scene-received "$/cancelRequest"))))
        (with-current-buffer "main.py" (ghostfill-explain))
        (scene-ask-in "main.py" :fake/emit)
        (funcall stop)
        (scene-ask-in "main.py" :fake/release)
        (scene-until (= (1+ before) (length (scene-received "$/cancelRequest"))))
        (should-not (and (get-buffer "*ghostfill explain*")
                         (with-current-buffer "*ghostfill explain*" (string-match-p "late" (buffer-string)))))))))

(ert-deftest markdown-is-read-without-its-signs-and-code-is-left-alone ()
  (with-temp-buffer
    (pcase-dolist (`(,text . ,seen)
                   '(("# A *b*\n" . "A b\n") ("**In `words`**: `a*b*c` \\*d\\*" . "In words: a*b*c *d*")
                     ("```python\n# no heading\nx = 2 ** 3 ** y[`0`](1)\n```\n## B" . "# no heading\nx = 2 ** 3 ** y[`0`](1)\nB")
                     ("````\n```\nin\n```\n````\n" . "```\nin\n```\n") ("[`x.py:2`](file:///x.py#L2), [1]" . "x.py:2, [1]")
                     ("``a `b` c`` and `open" . "a `b` c and `open") ("* item\n* 2 * 3\n" . "* item\n* 2 * 3\n")
                     ("[`a`] `b`" . "[a] b") ("a\\\\b" . "a\\b")))
      (erase-buffer)
      (insert text)
      (ghostfill--decorate)
      (should (equal (explain-seen) seen))
      (should (equal (buffer-substring-no-properties (point-min) (point-max)) text)))))

(defun explain-say (token text)
  "Let the server say TEXT of the explanation of TOKEN so far."
  (scene-ask-in "main.py" :fake/emit
                (list :messages (vector (list :method "ghostfill/didExplain"
                                              :params (list :token token :text text :done :json-false))))))

(defun explain-held ()
  "Ask for an explanation that the server keeps; its token."
  (scene-open-commands "x = 1\ny = 2\n" :ghostfill.explain '(:hold t :result (:text "late")))
  (ghostfill-explain)
  (set-buffer "*ghostfill explain*")
  (with-current-buffer "main.py" (scene-until (scene-argument "ghostfill.explain")))
  (plist-get (with-current-buffer "main.py" (scene-argument "ghostfill.explain")) :token))

(ert-deftest a-reader-stays-where-they-are-and-at-the-end-goes-with-it ()
  (scene-run
    (let ((token (explain-held)) (first "first\n\nsecond [a](file:///a.py)\n"))
      (explain-say token first)
      (should (= (point) (point-min)))
      (search-forward "sec")
      (let ((at (point)) (kept (copy-marker (point))) (button (next-button (point-min))))
        (explain-say token (concat first "\nthird"))
        (should (= (point) at kept (window-point)))
        (should (= (button-start (next-button (point-min))) (button-start button))))
      (goto-char (point-max))
      (set-window-point nil (point))
      (explain-say token (concat first "\nthird and fourth\n"))
      (should (= (window-point) (point-max)))
      (explain-say token "Another")
      (should (equal (buffer-string) "Another")))))

(ert-deftest a-cancelled-explanation-says-so-and-keeps-what-there-is ()
  (scene-run
    (let ((token (explain-held)))
      (explain-say token "So far")
      (scene-press "C-g")
      (with-current-buffer "main.py" (scene-until (scene-received "$/cancelRequest")))
      (scene-ask-in "main.py" :fake/release)
      (should (equal (buffer-substring-no-properties (point-min) (point-max))
                     "So far\n\nCancelled: this is not all of it.\n"))
      (should (equal header-line-format "Cancelled: this is not all of it."))
      (should (eq 'quit (condition-case nil (call-interactively #'ghostfill-explain-quit) (quit 'quit)))))))

(ert-deftest an-explanation-that-fails-says-why-below-what-there-is ()
  (scene-run
    (let ((token (explain-held)))
      (explain-say token "So far")
      (with-current-buffer "main.py"
        (jsonrpc-notify (ghostfill-server-connection ghostfill--server) :fake/nothing nil)
        (ghostfill--request ghostfill--server :fake/die nil #'ignore #'ignore))
      (scene-until (not ghostfill--explain-request))
      (should (equal (buffer-substring-no-properties (point-min) (point-max))
                     "So far\n\nThe server ended before it had answered.  Try again.\n")))
    (with-current-buffer "main.py"
      (scene-ready)
      (scene-script nil :commands '(:ghostfill.explain (:error (:code -32803 :message "100% of no function.")))))
    (with-current-buffer "main.py" (ghostfill-restart-server) (scene-ready) (ghostfill-explain))
    (scene-until (equal header-line-format "100%% of no function."))
    (should (equal (buffer-string) "100% of no function.\n"))))

(provide 'ghostfill-explain-tests)
;;; ghostfill-explain-tests.el ends here
