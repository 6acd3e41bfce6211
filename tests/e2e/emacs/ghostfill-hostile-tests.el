;;; ghostfill-hostile-tests.el --- An opened folder does not choose what runs -*- lexical-binding: t -*-

;;; Code:

(require 'ghostfill-scene)

(defun hostile-plant (folder)
  "Put a program named ghostfill into FOLDER of the running test; its trace."
  (make-directory (scene-file folder) t)
  (let ((program (scene-file (concat folder "/ghostfill"))) (trace (scene-file (concat folder "/trace"))))
    (with-temp-file program (insert "#!/bin/sh\necho ran > " trace "\n"))
    (set-file-modes program #o755)
    trace))

(defun hostile-honest ()
  "A folder outside of the workspace with the scripted server as ghostfill."
  (scene-script (list (scene-rule "x" "yz")))
  (make-directory (scene-file "bin") t)
  (with-temp-file (scene-file "bin/ghostfill")
    (insert "#!/bin/sh\nexec " (mapconcat #'shell-quote-argument (scene-command) " ") "\n"))
  (set-file-modes (scene-file "bin/ghostfill") #o755)
  (scene-file "bin"))

(defmacro hostile-with-path (folders &rest body)
  "Run BODY with FOLDERS before the rest of the path."
  (declare (indent 1))
  `(let ((path (default-toplevel-value 'exec-path)))
     (set-default-toplevel-value 'exec-path (append ,folders path))
     (set-default-toplevel-value 'ghostfill-command '("ghostfill" "serve"))
     (unwind-protect (progn ,@body)
       (set-default-toplevel-value 'exec-path path))))

(defun hostile-problem ()
  "Turn the mode on in a new buffer, and give why no server runs."
  (scene-visit "main.py" "")
  (ghostfill-mode)
  (ghostfill-server-problem ghostfill--server))

(ert-deftest a-program-inside-the-workspace-is-refused ()
  (scene-run
    (let ((trace (hostile-plant "work/venv/bin")))
      (dolist (entry (list (scene-file "work/venv/bin") "venv/bin"))
        (hostile-with-path (list entry)
          (should (string-match-p "was not started: it lies inside the workspace" (hostile-problem)))
          (setq ghostfill--servers nil)
          (kill-buffer)))
      (should-not (file-exists-p trace)))))

(ert-deftest a-link-from-outside-into-the-workspace-is-refused ()
  (scene-run
    (let ((trace (hostile-plant "work/bin")))
      (make-directory (scene-file "links"))
      (make-symbolic-link (scene-file "work/bin/ghostfill") (scene-file "links/ghostfill"))
      (hostile-with-path (list (scene-file "links"))
        (should (string-match-p "was not started" (hostile-problem))))
      (should-not (file-exists-p trace)))))

(ert-deftest the-next-entry-of-the-path-is-used-instead ()
  (scene-run
    (let ((trace (hostile-plant "work/venv/bin")))
      (hostile-with-path (list (scene-file "work/venv/bin") (hostile-honest))
        (should-not (hostile-problem))
        (scene-ready)
        (scene-type "x")
        (scene-shows "xyz"))
      (should-not (file-exists-p trace)))))

(ert-deftest directory-locals-change-neither-program-nor-settings ()
  "Even where the user lets directories set everything."
  (scene-run
    (let* ((trace (hostile-plant "work/evil"))
           (evil (scene-file "work/evil"))
           (enable-local-variables :all)
           (program (concat evil "/ghostfill")))
      (with-temp-file (scene-file "work/.dir-locals.el")
        (prin1 `((nil . ((ghostfill-command . (,program))
                         (ghostfill-settings . (:model "evil" :engine (:url "http://evil.invalid")))
                         (exec-path . (,evil))
                         (process-environment . (,(concat "PATH=" evil) "PYTHONSTARTUP=evil.py"))
                         (user-emacs-directory . ,evil)
                         (shell-file-name . ,program)
                         (eglot-server-programs . ((python-mode . (,program)))))))
               (current-buffer)))
      (hostile-with-path (list (hostile-honest))
        (should-not (hostile-problem))
        (should (equal ghostfill-command (list program)))
        (should (equal exec-path (list evil)))
        (scene-ready)
        (scene-type "x")
        (scene-shows "xyz")
        (should (equal (plist-get (car (scene-received "initialize")) :initializationOptions)
                       '(:client (:status t)))))
      (should-not (file-exists-p trace)))))

(ert-deftest what-decides-over-programs-and-data-is-marked-as-risky ()
  (dolist (option '(ghostfill-command ghostfill-settings))
    (should (risky-local-variable-p option))
    (should-not (safe-local-variable-p option '("evil")))))

(ert-deftest the-server-runs-in-a-folder-that-no-workspace-fills ()
  (scene-run
    (scene-script nil)
    (set-default 'ghostfill-command
                 (list "/bin/sh" "-c" (concat "pwd > " (scene-file "folder") "; exec \"$@\"") "sh"))
    (set-default 'ghostfill-command (append (default-value 'ghostfill-command) (scene-command)))
    (scene-visit "main.py" "")
    (ghostfill-mode)
    (scene-ready)
    (let ((folder (with-temp-buffer (insert-file-contents (scene-file "folder")) (buffer-string))))
      (should (equal (file-name-as-directory (string-trim folder))
                     (file-truename (expand-file-name "ghostfill/" user-emacs-directory)))))))

(ert-deftest absence-is-explained-with-the-install-line ()
  (scene-run
    (hostile-with-path nil
      (set-default-toplevel-value 'ghostfill-command '("ghostfill-of-nobody" "serve"))
      (should (string-match-p "pipx install \"ghostfill\\[local\\]\"" (hostile-problem)))
      (should (string-match-p "pipx install" (scene-messages-buffer)))
      (ghostfill-doctor)
      (with-current-buffer "*ghostfill doctor*"
        (should (string-match-p "look  \"ghostfill-of-nobody\" was not found.*pipx install" (buffer-string)))))))

(ert-deftest a-program-that-is-neither-a-name-nor-absolute-is-refused ()
  (scene-run
    (hostile-with-path nil
      (hostile-plant "work/bin")
      (set-default-toplevel-value 'ghostfill-command '("bin/ghostfill" "serve"))
      (should (string-match-p "must be a bare name or an absolute one" (hostile-problem))))))

(ert-deftest a-home-folder-under-version-control-is-no-workspace ()
  (scene-run
    (let ((process-environment (cons (concat "HOME=" (scene-file "home")) process-environment)))
      (make-directory (scene-file "home/.git") t)
      (make-directory (scene-file "home/notes") t)
      (should (equal (ghostfill--root (scene-file "home/notes/a.py")) (scene-file "home/notes/")))
      (make-directory (scene-file "home/notes/.git"))
      (make-directory (scene-file "home/notes/deep"))
      (should (equal (ghostfill--root (scene-file "home/notes/deep/a.py")) (scene-file "home/notes/"))))))

(provide 'ghostfill-hostile-tests)
;;; ghostfill-hostile-tests.el ends here
