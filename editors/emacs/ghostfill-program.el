;;; ghostfill-program.el --- Which program is started, and for which folder -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Finds the workspace of a file and the program to start for it, never inside
;; of that workspace: an active virtual environment, and with it the first entry
;; of the path, may belong to a repository that was cloned a minute ago.
;; Knows no protocol.

;;; Code:

(require 'ghostfill-config)

(defconst ghostfill--install "pipx install \"ghostfill[local]\""
  "How to get the program.")

(defconst ghostfill--root-markers '(".git" "pyproject.toml" "package.json")
  "What lies in the top folder of a workspace.")

(defun ghostfill--inside-p (path root)
  "Whether PATH, links resolved, is ROOT or lies in it."
  (file-in-directory-p (file-truename path) (file-truename root)))

(defun ghostfill--root (file)
  "The folder of the workspace of FILE: the nearest with a marker, else its own.
The home folder is never found by its marker: a repository of dot files is
not a project."
  (let* ((folder (file-name-directory (expand-file-name file)))
         (home (file-name-as-directory (expand-file-name "~")))
         (found (locate-dominating-file
                 folder
                 (lambda (candidate)
                   (or (equal (expand-file-name candidate) home)
                       (seq-some (lambda (marker)
                                   (file-exists-p (expand-file-name marker candidate)))
                                 ghostfill--root-markers))))))
    (if (and found (not (equal (expand-file-name found) home)))
        (file-name-as-directory (expand-file-name found))
      folder)))

(defun ghostfill--search (name root)
  "Look for program NAME on the path, outside of ROOT.
The value is (PATH . REFUSED); REFUSED is a program that was passed over."
  (let ((folders (ghostfill--global 'exec-path)) found refused)
    (while (and folders (not found))
      (let* ((folder (or (pop folders) "."))
             (path (locate-file name (list (expand-file-name folder root))
                                exec-suffixes #'file-executable-p)))
        (cond ((or (not path) (file-directory-p path)))
              ((and (file-name-absolute-p folder)
                    (not (ghostfill--inside-p folder root))
                    (not (ghostfill--inside-p path root)))
               (setq found path))
              (t (setq refused (or refused path))))))
    (cons found refused)))

(defun ghostfill--find-program (name root)
  "Find program NAME for the workspace ROOT.
The value is (PATH . nil) or (nil . PROBLEM), a sentence for the user."
  (let ((path (if (string-prefix-p "~/" name) (expand-file-name name) name)))
    (cond
     ((file-name-absolute-p path)
      (if (and (file-executable-p path) (not (file-directory-p path)))
          (cons path nil)
        (cons nil (format "%s is not an executable file" path))))
     ((file-name-directory path)
      (cons nil (format "the program %S in `ghostfill-command' must be a bare name or an absolute one"
                        name)))
     (t
      (pcase-let ((`(,found . ,refused) (ghostfill--search path root)))
        (cond
         (found (cons found nil))
         (refused
          (cons nil (format "%s was not started: it lies inside the workspace %s or in a relative \
entry of `exec-path'.  Install it elsewhere (%s), or give its absolute name in `ghostfill-command'"
                            refused (abbreviate-file-name root) ghostfill--install)))
         (t (cons nil (format "%S was not found in `exec-path'.  Install it with: %s"
                              name ghostfill--install)))))))))

(defun ghostfill--command (root)
  "The command line of the server for ROOT: (COMMAND . nil) or (nil . PROBLEM)."
  (let ((command (ghostfill--global 'ghostfill-command)))
    (if (not (and (consp command) (seq-every-p #'stringp command)))
        (cons nil "`ghostfill-command' must be a list of strings such as (\"ghostfill\" \"serve\")")
      (pcase-let ((`(,path . ,problem) (ghostfill--find-program (car command) root)))
        (cons (and path (cons path (cdr command))) problem)))))

(defun ghostfill-command-for (root)
  "The command line of the server for ROOT, for other clients, or an error."
  (pcase-let ((`(,command . ,problem) (ghostfill--command root)))
    (or command (user-error "%s" problem))))

(defun ghostfill--folder ()
  "Where to run programs: a folder that no workspace can fill."
  (let ((folder (expand-file-name "ghostfill/" (ghostfill--global 'user-emacs-directory))))
    (condition-case nil
        (progn (make-directory folder t) folder)
      (file-error (expand-file-name "~/")))))

(provide 'ghostfill-program)
;;; ghostfill-program.el ends here
