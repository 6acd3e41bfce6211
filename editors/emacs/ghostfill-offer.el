;;; ghostfill-offer.el --- One completion at one place, as a value -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; What of a completion is still to be typed.  Values only: knows neither the
;; screen nor the server, and reads no buffer except in `ghostfill--here' and
;; `ghostfill--typed-through'.

;;; Code:

(require 'cl-lib)
(require 'subr-x)
(require 'ghostfill-lsp)

(cl-defstruct ghostfill-place
  "A cursor in a text."
  buffer tick
  (start nil :documentation "Where the cursor's line begins.")
  (point nil :documentation "Where the cursor is.")
  (before nil :documentation "The line up to the cursor.")
  (after nil :documentation "The line from the cursor on."))

(cl-defstruct ghostfill-offer
  "One completion at one place."
  (item nil :documentation "The server's item, untouched.")
  (place nil :documentation "The cursor that the text belongs to.")
  (text nil :documentation "What is still to be inserted at the cursor.")
  (tail 0 :documentation "Characters after the cursor that a full acceptance replaces.")
  (taken "" :documentation "The part of the item that stands in the buffer already.")
  (is-chosen nil :documentation "Whether a key chose it instead of the first one."))

(cl-defstruct ghostfill-choices
  "The offers that a key asked for, one at least, and which of them is shown."
  offers (index 0))

(defconst ghostfill--auto-closed "\\`[])}>\"'`]\\{0,4\\}\\'"
  "What editors put behind the cursor by themselves when the opening one is typed.")

(defun ghostfill--here ()
  "The cursor of the current buffer."
  (save-restriction
    (widen)
    (make-ghostfill-place
     :buffer (current-buffer) :tick (buffer-chars-modified-tick)
     :start (line-beginning-position) :point (point)
     :before (buffer-substring-no-properties (line-beginning-position) (point))
     :after (buffer-substring-no-properties (point) (line-end-position)))))

(defun ghostfill--same-place-p (a b)
  "Whether A and B are the same cursor in the same text."
  (and (eq (ghostfill-place-buffer a) (ghostfill-place-buffer b))
       (eql (ghostfill-place-tick a) (ghostfill-place-tick b))
       (eql (ghostfill-place-point a) (ghostfill-place-point b))))

;;;; From the server's items

(defun ghostfill--plain-snippet (value)
  "The text of snippet VALUE without its tab stops."
  (replace-regexp-in-string
   "\\\\\\([$}\\\\]\\)\\|\\$[0-9]+\\|\\${[0-9]+:?\\([^}]*\\)}"
   (lambda (match)
     (cond ((eq (aref match 0) ?\\) (substring match 1))
           ((string-match "\\`\\${[0-9]+:?\\([^}]*\\)}\\'" match) (match-string 1 match))
           (t "")))
   value t t))

(defun ghostfill--plain-text (item)
  "The text of the server's ITEM."
  (let ((text (plist-get item :insertText)))
    (unless (stringp text)
      (setq text (if (equal (plist-get text :kind) "snippet")
                     (ghostfill--plain-snippet (plist-get text :value))
                   (plist-get text :value))))
    (replace-regexp-in-string "\r\n?" "\n" text t t)))

(defun ghostfill--replaced (range place encoding)
  "What a RANGE of the server in ENCODING takes of the line of PLACE.
The value is (BEFORE . AFTER), numbers of characters around the cursor, or
nil if it does not hold the cursor."
  (let* ((line (concat (ghostfill-place-before place) (ghostfill-place-after place)))
         (column (length (ghostfill-place-before place)))
         (first (plist-get range :start))
         (last (plist-get range :end))
         (row (with-current-buffer (ghostfill-place-buffer place)
                (1- (line-number-at-pos (ghostfill-place-start place) t))))
         (from (ghostfill--chars line (plist-get first :character) encoding))
         (to (ghostfill--chars line (plist-get last :character) encoding)))
    (and (eql row (plist-get first :line)) (eql row (plist-get last :line))
         (<= from column to)
         (cons (- column from) (- to column)))))

(defun ghostfill--offer (item place encoding)
  "The server's ITEM at the PLACE that it was asked for, positions in ENCODING.
Nil if it is not text that goes on from the cursor."
  (pcase-let* ((range (plist-get item :range))
               (before (ghostfill-place-before place))
               (text (ghostfill--plain-text item))
               (replaced (if range (ghostfill--replaced range place encoding) '(0 . 0)))
               (`(,back . ,tail) (or replaced '(0 . 0)))
               (taken (substring before (- (length before) back))))
    (when (and replaced (string-prefix-p taken text))
      (let ((rest (substring text (length taken))))
        (unless (equal rest (substring (ghostfill-place-after place) 0 tail))
          (make-ghostfill-offer :item item :place place :text rest :tail tail :taken taken))))))

(defun ghostfill--offers (result place encoding)
  "The usable items of RESULT, the answer to a request at PLACE, in ENCODING."
  (let ((items (if (vectorp result) result (plist-get result :items))))
    (delq nil (mapcar (lambda (item) (ghostfill--offer item place encoding)) items))))

(defun ghostfill--offer-id (offer)
  "The server's name for OFFER, or nil."
  (let ((arguments (plist-get (plist-get (ghostfill-offer-item offer) :command) :arguments)))
    (and (vectorp arguments) (> (length arguments) 0) (listp (aref arguments 0))
         (plist-get (aref arguments 0) :id))))

(defun ghostfill--same-text-p (a b)
  "Whether A and B would do the same."
  (and (equal (ghostfill-offer-text a) (ghostfill-offer-text b))
       (eql (ghostfill-offer-tail a) (ghostfill-offer-tail b))))

;;;; Typed through

(defun ghostfill--contains-in-order-p (text wanted)
  "Whether the characters of WANTED occur in TEXT, one behind the other."
  (let ((at 0))
    (seq-every-p (lambda (char)
                   (let ((found (seq-position (substring text at) char)))
                     (when found (setq at (+ at found 1)))))
                 wanted)))

(defun ghostfill--tail-growth (offer now)
  "By how many characters what stands behind the cursor of OFFER has grown at NOW.
They are brackets that were closed automatically, or, below 0, a replaced
tail that was typed over.  Nil if anything else has changed there."
  (let* ((was (ghostfill-place-after (ghostfill-offer-place offer)))
         (after (ghostfill-place-after now))
         (growth (- (length after) (length was))))
    (if (< growth 0)
        (and (>= growth (- (ghostfill-offer-tail offer)))
             (equal after (substring was (- growth)))
             growth)
      (and (string-match-p ghostfill--auto-closed (substring after 0 growth))
           (equal was (substring after growth))
           growth))))

(defun ghostfill--typed-since (offer now)
  "The text between the cursor of OFFER and NOW, or nil if more has changed."
  (let* ((was (ghostfill-offer-place offer))
         (before (ghostfill-place-before was))
         (text (with-current-buffer (ghostfill-place-buffer now)
                 (save-restriction
                   (widen)
                   (and (<= (point-min) (ghostfill-place-start was) (ghostfill-place-point now))
                        (buffer-substring-no-properties (ghostfill-place-start was)
                                                        (ghostfill-place-point now)))))))
    (and text (string-prefix-p before text) (substring text (length before)))))

(defun ghostfill--typed-through (offer now)
  "The rest of OFFER at NOW, if what was typed since is how it begins, or nil."
  (let* ((is-there (eq (ghostfill-place-buffer now)
                       (ghostfill-place-buffer (ghostfill-offer-place offer))))
         (growth (and is-there (ghostfill--tail-growth offer now)))
         (typed (and growth (ghostfill--typed-since offer now))))
    (when (and typed (string-prefix-p typed (ghostfill-offer-text offer)))
      (let* ((text (substring (ghostfill-offer-text offer) (length typed)))
             (tail (+ (ghostfill-offer-tail offer) growth))
             (after (ghostfill-place-after now))
             (rest (copy-ghostfill-offer offer)))
        (when (and (> growth 0) (not (ghostfill--contains-in-order-p text (substring after 0 tail))))
          (setq tail 0))
        (setf (ghostfill-offer-place rest) now
              (ghostfill-offer-text rest) text
              (ghostfill-offer-tail rest) tail
              (ghostfill-offer-taken rest) (concat (ghostfill-offer-taken offer) typed))
        (unless (equal text (substring after 0 tail)) rest)))))

;;;; Pieces

(defun ghostfill--first-word (offer)
  "The first word of OFFER, with the blanks and line ends before it."
  (let ((text (ghostfill-offer-text offer)))
    (if (string-match "\\`[[:space:]\n]*\\(?:[[:alnum:]_]+\\|[^[:alnum:]_[:space:]\n]+\\)" text)
        (match-string 0 text)
      text)))

(defun ghostfill--first-line (offer)
  "The rest of the line of OFFER; at the end of a line the whole next one."
  (let ((text (ghostfill-offer-text offer)))
    (if (string-match "\\`\n?[^\n]+" text) (match-string 0 text) text)))

(defun ghostfill--overtyped (offer piece)
  "How many characters of the replaced tail of OFFER its PIECE takes along.
They are those that the rest does not contain any more."
  (let ((tail (substring (ghostfill-place-after (ghostfill-offer-place offer))
                         0 (ghostfill-offer-tail offer)))
        (rest (substring (ghostfill-offer-text offer) (length piece)))
        (count 0))
    (when (ghostfill--contains-in-order-p (ghostfill-offer-text offer) tail)
      (while (not (ghostfill--contains-in-order-p rest (substring tail count)))
        (setq count (1+ count))))
    count))

(defun ghostfill--accepted-length (offer piece)
  "The acceptedLength of the protocol once PIECE of OFFER is inserted too."
  (ghostfill--units (concat (ghostfill-offer-taken offer) piece) "utf-16"))

;;;; Choices

(defun ghostfill--moved (choices count)
  "The CHOICES with the one shown that is COUNT further, around the ends."
  (let ((offers (ghostfill-choices-offers choices)))
    (make-ghostfill-choices
     :offers offers :index (mod (+ (ghostfill-choices-index choices) count) (length offers)))))

(defun ghostfill--chosen (all count seen)
  "The choices among ALL that there are after COUNT presses of a key.
Without presses it is the first.
Others count from the one that is SEEN, else from outside."
  (let ((index (and seen (/= count 0)
                    (cl-position-if (lambda (offer) (ghostfill--same-text-p offer seen)) all))))
    (ghostfill--moved (make-ghostfill-choices :offers all :index (or index 0))
                      (if (and (not index) (> count 0)) (1- count) count))))

(defun ghostfill--current (choices)
  "The offer of CHOICES that is shown."
  (let* ((index (ghostfill-choices-index choices))
         (offer (copy-ghostfill-offer (nth index (ghostfill-choices-offers choices)))))
    (setf (ghostfill-offer-is-chosen offer) (> index 0))
    offer))

(provide 'ghostfill-offer)
;;; ghostfill-offer.el ends here
