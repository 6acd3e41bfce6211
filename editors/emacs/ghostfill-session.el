;;; ghostfill-session.el --- The life of one completion at the cursor -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Asked for, shown, typed through or dismissed.  When to answer, and with
;; what, is the server's business: this asks after every change and shows what
;; still fits.  There is one session, as there is one cursor that types.

;;; Code:

(require 'ghostfill-ghost)
(require 'ghostfill-sync)

(defvar ghostfill-mode)
(defvar company-candidates)
(defvar evil-local-mode)
(defvar multiple-cursors-mode)
(declare-function evil-insert-state-p "ext:evil-states")
(declare-function evil-emacs-state-p "ext:evil-states")
(declare-function ghostfill--tell-diagnostics "ghostfill-diagnostics")

(cl-defstruct ghostfill-asked
  "A request for completions."
  place server
  (id nil :documentation "While it is unanswered.")
  (steps nil :documentation "Where a key asked: 0 for the first, else steps from the one seen."))

(defvar ghostfill--offer nil "What is on the screen.")
(defvar ghostfill--choices nil "What it was chosen from, if a key asked.")
(defvar ghostfill--asked nil "The newest request.")
(defvar ghostfill--told nil "The completion that a server was told last to be on the screen.")
(defvar ghostfill--timer nil "Runs out when the server is to be asked.")

(defvar-local ghostfill--is-shown nil
  "Whether the keys of ghost text are in force in this buffer.")

;;;; What allows ghost text

(defun ghostfill-popup-visible-p ()
  "Whether a completion popup is in use: company, corfu, or Emacs' own."
  (or (bound-and-true-p company-candidates)
      (bound-and-true-p completion-in-region-mode)))

(defun ghostfill-not-inserting-p ()
  "Whether keys do not insert at the one cursor: a region, evil's other states."
  (or (use-region-p)
      (bound-and-true-p multiple-cursors-mode)
      (and (bound-and-true-p evil-local-mode)
           (fboundp 'evil-insert-state-p)
           (not (evil-insert-state-p))
           (not (and (fboundp 'evil-emacs-state-p) (evil-emacs-state-p))))))

(defun ghostfill--can-show-p ()
  "Whether ghost text may be shown in the current buffer now."
  (and ghostfill-mode
       (not buffer-read-only)
       (eq (current-buffer) (window-buffer))
       (not (run-hook-with-args-until-success 'ghostfill-inhibit-functions))))

;;;; Asking

(defun ghostfill--cancel-asked ()
  "Nobody waits for the newest request any more."
  (when ghostfill--timer
    (cancel-timer ghostfill--timer)
    (setq ghostfill--timer nil))
  (when (and ghostfill--asked (ghostfill-asked-id ghostfill--asked))
    (ghostfill--cancel (ghostfill-asked-server ghostfill--asked)
                       (ghostfill-asked-id ghostfill--asked))
    (setf (ghostfill-asked-id ghostfill--asked) nil)))

(defun ghostfill--ask (&optional steps)
  "Ask for completions at the cursor.
STEPS is what `ghostfill-asked' keeps of a key."
  (ghostfill--cancel-asked)
  (let* ((server ghostfill--server)
         (asked (make-ghostfill-asked :place (ghostfill--here) :server server :steps steps)))
    (setq ghostfill--asked asked)
    (when (and (ghostfill--running-p server)
               (plist-member (ghostfill-server-capabilities server) :inlineCompletionProvider))
      (ghostfill--tell-diagnostics)
      (ghostfill--flush)
      (setf (ghostfill-asked-id asked)
            (ghostfill--request
             server :textDocument/inlineCompletion
             (list :textDocument (ghostfill--text-document)
                   :position (ghostfill--position (point) (ghostfill--encoding server))
                   :context (list :triggerKind (if steps 1 2)))
             (lambda (result) (ghostfill--on-answer asked result))
             (lambda (problem) (ghostfill--on-failure asked problem)))))))

(defun ghostfill--ask-soon ()
  "Ask once the text of the last key is on the screen."
  (ghostfill--cancel-asked)
  (setq ghostfill--asked nil)
  (let ((buffer (current-buffer)))
    (setq ghostfill--timer
          (run-with-timer ghostfill-idle-delay nil
                          (lambda ()
                            (setq ghostfill--timer nil)
                            (when (buffer-live-p buffer)
                              (with-current-buffer buffer
                                (when (ghostfill--can-show-p) (ghostfill--ask)))))))))

(defun ghostfill--on-failure (asked problem)
  "ASKED was answered with the error object PROBLEM."
  (when (eq asked ghostfill--asked)
    (setf (ghostfill-asked-id asked) nil))
  (unless (ghostfill--silent-p problem)
    (ghostfill--error-once (ghostfill-server-status (ghostfill-asked-server asked))
                           (or (plist-get problem :message) "the server failed"))))

(defun ghostfill--on-answer (asked result)
  "ASKED was answered with RESULT; it may come too late."
  (when (and (eq asked ghostfill--asked) (ghostfill-asked-id asked))
    (setf (ghostfill-asked-id asked) nil)
    (let ((place (ghostfill-asked-place asked)) (steps (ghostfill-asked-steps asked)))
      (when (buffer-live-p (ghostfill-place-buffer place))
        (with-current-buffer (ghostfill-place-buffer place)
          (when (and (ghostfill--can-show-p) (ghostfill--same-place-p place (ghostfill--here)))
            (let ((offers (ghostfill--offers result place
                                             (ghostfill--encoding (ghostfill-asked-server asked)))))
              (cond ((not steps) (ghostfill--on-unasked (car offers)))
                    (offers (ghostfill--show-choice
                             (ghostfill--chosen offers steps ghostfill--offer)))
                    (t (message "ghostfill: nothing to offer here"))))))))))

(defun ghostfill--on-unasked (new)
  "NEW, or nil, came while typing.
What was chosen by key stays as long as it is what is typed."
  (let ((is-same (and new ghostfill--offer (ghostfill--same-text-p new ghostfill--offer)))
        (is-chosen (and ghostfill--offer (ghostfill-offer-is-chosen ghostfill--offer))))
    (unless (and is-chosen (not is-same))
      (when is-same (setf (ghostfill-offer-is-chosen new) is-chosen))
      (ghostfill--show new))))

;;;; Showing

(defun ghostfill--label ()
  "Which of how many completions is shown, if a key asked: \"2/3\", else \"\"."
  (if ghostfill--choices
      (format "%d/%d" (1+ (ghostfill-choices-index ghostfill--choices))
              (length (ghostfill-choices-offers ghostfill--choices)))
    ""))

(defun ghostfill--tell-shown ()
  "Tell the server once what is on the screen."
  (let* ((offer ghostfill--offer)
         (completion (or (ghostfill--offer-id offer) (ghostfill-offer-item offer))))
    (unless (equal completion ghostfill--told)
      (setq ghostfill--told completion)
      (ghostfill--notify (buffer-local-value 'ghostfill--server
                                             (ghostfill-place-buffer (ghostfill-offer-place offer)))
                         :textDocument/didShowCompletion
                         (list :item (ghostfill-offer-item offer))))))

(defun ghostfill--show (offer &optional choices)
  "Change what is on the screen to OFFER of CHOICES; both may be nil."
  (let ((was (ghostfill--label))
        (old (and ghostfill--offer (ghostfill-place-buffer (ghostfill-offer-place ghostfill--offer)))))
    (when (buffer-live-p old)
      (with-current-buffer old (setq ghostfill--is-shown nil)))
    (setq ghostfill--offer offer
          ghostfill--choices choices)
    (if (not offer)
        (ghostfill--undraw)
      (ghostfill--draw offer)
      (with-current-buffer (ghostfill-place-buffer (ghostfill-offer-place offer))
        (setq ghostfill--is-shown t))
      (ghostfill--tell-shown))
    (unless (equal was (ghostfill--label))
      (force-mode-line-update))))

(defun ghostfill--show-choice (choices)
  "Show the chosen one of CHOICES."
  (ghostfill--show (ghostfill--current choices) choices))

(defun ghostfill--visible ()
  "The offer that the user sees at the cursor now, or nil."
  (and ghostfill--offer
       (ghostfill--can-show-p)
       (ghostfill--same-place-p (ghostfill-offer-place ghostfill--offer) (ghostfill--here))
       ghostfill--offer))

(defun ghostfill--hide ()
  "Hide the ghost text, and ask nothing more about this place."
  (when ghostfill--offer (ghostfill--show nil))
  (ghostfill--cancel-asked))

(defun ghostfill--stop ()
  "The user is elsewhere."
  (ghostfill--hide)
  (setq ghostfill--asked nil))

(defun ghostfill--refresh ()
  "What may be shown has changed: the question at the cursor is asked again."
  (ghostfill--stop)
  (with-current-buffer (window-buffer)
    (when (and ghostfill-auto (ghostfill--can-show-p)) (ghostfill--ask))))

(defun ghostfill--follow ()
  "The text or the cursor may have changed: show what is left of the offer."
  (if (not (ghostfill--can-show-p))
      (ghostfill--stop)
    (let ((now (and (or ghostfill--offer ghostfill--asked) (ghostfill--here))))
      (when (and ghostfill--offer
                 (not (ghostfill--same-place-p (ghostfill-offer-place ghostfill--offer) now)))
        (ghostfill--show (ghostfill--typed-through ghostfill--offer now)))
      (when (and ghostfill--asked
                 (not (ghostfill--same-place-p (ghostfill-asked-place ghostfill--asked) now)))
        (ghostfill--cancel-asked)))))

(defun ghostfill--follow-key ()
  "A character was typed: draw what is left of the offer.
More may happen to the text before the command is over, so that the offer
itself is kept until then."
  (when ghostfill--offer
    (let ((rest (and (ghostfill--can-show-p)
                     (ghostfill--typed-through ghostfill--offer (ghostfill--here)))))
      (if rest (ghostfill--draw rest) (ghostfill--undraw)))))

;;;; News of servers

(defun ghostfill--on-ready (server)
  "Ask SERVER, now ready, what was asked before it was."
  (when (and ghostfill--asked (not (ghostfill-asked-id ghostfill--asked)))
    (ghostfill--on-good-news server)))

(defun ghostfill--on-good-news (server)
  "SERVER may have an answer now where it had none."
  (let ((asked ghostfill--asked))
    (when (and asked (not (ghostfill-asked-id asked)) (not ghostfill--offer)
               (eq server (ghostfill-asked-server asked))
               (buffer-live-p (ghostfill-place-buffer (ghostfill-asked-place asked))))
      (with-current-buffer (ghostfill-place-buffer (ghostfill-asked-place asked))
        (when (and (ghostfill--can-show-p)
                   (ghostfill--same-place-p (ghostfill-asked-place asked) (ghostfill--here)))
          (ghostfill--ask (ghostfill-asked-steps asked)))))))

(add-hook 'ghostfill-status-hook #'ghostfill--on-good-news)

(provide 'ghostfill-session)
;;; ghostfill-session.el ends here
