;;; ghostfill-accept.el --- What keys do with ghost text -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Puts what is offered, or the next piece of it, into the buffer, goes through
;; further completions, or hides them; and tells the server.

;;; Code:

(require 'ghostfill-session)

(defvar ghostfill-mode)

(defun ghostfill--usual ()
  "Do what the keys just pressed do where no ghost text is shown."
  (setq ghostfill--is-shown nil)
  (let ((command (key-binding (this-command-keys-vector) t)))
    (when (and (commandp command) (not (eq command this-command)))
      (setq this-command command)
      (call-interactively command))))

(defun ghostfill--insert (text tail)
  "Replace TAIL characters behind the cursor by TEXT, as one step of undo."
  (undo-boundary)
  (delete-region (point) (+ (point) tail))
  (insert text)
  (undo-boundary))

(defun ghostfill--accept-piece (choose)
  "Insert the piece of what is shown that function CHOOSE gives."
  (let ((offer (ghostfill--visible)))
    (if (not offer)
        (ghostfill--usual)
      (let ((piece (funcall choose offer)))
        (if (equal piece (ghostfill-offer-text offer))
            (ghostfill--accept-all offer)
          (ghostfill--insert piece (ghostfill--overtyped offer piece))
          (ghostfill--notify ghostfill--server :textDocument/didPartiallyAcceptCompletion
                             (list :item (ghostfill-offer-item offer)
                                   :acceptedLength (ghostfill--accepted-length offer piece))))))))

(defun ghostfill--accept-all (offer)
  "Insert all of OFFER and run its command."
  (ghostfill--hide)
  (ghostfill--insert (ghostfill-offer-text offer) (ghostfill-offer-tail offer))
  (when-let ((command (plist-get (ghostfill-offer-item offer) :command)))
    (when (ghostfill--running-p ghostfill--server)
      (ghostfill--request ghostfill--server :workspace/executeCommand
                          (list :command (plist-get command :command)
                                :arguments (or (plist-get command :arguments) []))
                          #'ignore #'ignore))))

(defun ghostfill-accept ()
  "Insert what is offered."
  (interactive)
  (ghostfill--accept-piece #'ghostfill-offer-text))

(defun ghostfill-accept-word ()
  "Insert the next word of what is offered."
  (interactive)
  (ghostfill--accept-piece #'ghostfill--first-word))

(defun ghostfill-accept-line ()
  "Insert what is offered up to the end of the line, or the next line of it."
  (interactive)
  (ghostfill--accept-piece #'ghostfill--first-line))

(defun ghostfill-accept-line-at-end ()
  "Insert what is offered for this line, if the cursor is at its end."
  (interactive)
  (if (eolp) (ghostfill-accept-line) (ghostfill--usual)))

(defun ghostfill-dismiss ()
  "Hide what is offered.
Nothing is offered here again until the text is another one."
  (interactive)
  (let ((offer (ghostfill--visible)))
    (if (not offer)
        (ghostfill--usual)
      (ghostfill--hide)
      (when (ghostfill--running-p ghostfill--server)
        (ghostfill--execute ghostfill--server "ghostfill.dismissed"
                            (append (and (ghostfill--offer-id offer)
                                         (list :id (ghostfill--offer-id offer)))
                                    (ghostfill--cursor))
                            #'ignore #'ignore)))))

(defun ghostfill--cursor ()
  "The place of point as an argument of the server's commands."
  (list :uri (plist-get (ghostfill--text-document) :uri)
        :position (ghostfill--position (point) (ghostfill--encoding ghostfill--server))))

(defun ghostfill--place-argument ()
  "The region, else point, as an argument of the server's commands."
  (if (use-region-p)
      (list :uri (plist-get (ghostfill--text-document) :uri)
            :range (ghostfill--range (region-beginning) (region-end)
                                     (ghostfill--encoding ghostfill--server)))
    (ghostfill--cursor)))

(defun ghostfill--current-server ()
  "The server of the current buffer, or an error with the reason."
  (unless (ghostfill--running-p ghostfill--server)
    (user-error "ghostfill: %s" (or (ghostfill--absence) "the server is starting")))
  (ghostfill--flush)
  ghostfill--server)

(defun ghostfill--absence ()
  "The reason why this buffer is without a server, a sentence, or nil."
  (cond
   ((not ghostfill-mode) "off in this buffer (M-x ghostfill-mode turns it on)")
   ((not buffer-file-name) "off here: the buffer shows no file")
   ((file-remote-p buffer-file-name)
    "off here: the file is remote.  Run Emacs and ghostfill on that machine")
   (ghostfill--server (ghostfill-server-problem ghostfill--server))))

(defun ghostfill-complete ()
  "Ask for a completion at point now."
  (interactive "*")
  (ghostfill--current-server)
  (ghostfill--ask 0))

(defun ghostfill--cycle (count)
  "Show the completion that is COUNT further; ask for them all first."
  (let ((asked ghostfill--asked))
    (cond
     ((and asked (ghostfill-asked-id asked) (ghostfill-asked-steps asked)
           (ghostfill--same-place-p (ghostfill-asked-place asked) (ghostfill--here)))
      (setf (ghostfill-asked-steps asked) (+ count (ghostfill-asked-steps asked))))
     ((and ghostfill--choices (ghostfill--visible))
      (ghostfill--show-choice (ghostfill--moved ghostfill--choices count)))
     (t (ghostfill--current-server)
        (ghostfill--ask count)))))

(defun ghostfill-next ()
  "Show another completion for this place."
  (interactive "*")
  (ghostfill--cycle 1))

(defun ghostfill-previous ()
  "Show the completion before the one that is shown."
  (interactive "*")
  (ghostfill--cycle -1))

(provide 'ghostfill-accept)
;;; ghostfill-accept.el ends here
