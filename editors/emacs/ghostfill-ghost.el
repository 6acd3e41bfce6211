;;; ghostfill-ghost.el --- Draws an offer -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; The text of an offer is shown by overlays at the cursor; what stands behind
;; it moves to where it will be.  The buffer is not changed and point does not
;; move.  Knows no server.

;;; Code:

(require 'ghostfill-config)
(require 'ghostfill-offer)

(defvar ghostfill--overlays nil
  "What is on the screen now.")

(defun ghostfill--undraw ()
  "Remove the ghost text."
  (mapc #'delete-overlay ghostfill--overlays)
  (setq ghostfill--overlays nil))

(defun ghostfill--ghostly (text)
  "TEXT with the face of ghost text."
  (propertize text 'face 'ghostfill-ghost))

(defun ghostfill--holding-cursor (text)
  "Ghostly TEXT with the cursor on its first character.
No line end can hold the cursor, so that a blank goes before it."
  (let ((text (ghostfill--ghostly (if (string-prefix-p "\n" text) (concat " " text) text))))
    (put-text-property 0 1 'cursor t text)
    text))

(defun ghostfill--overlay (beg end property text)
  "Show TEXT as PROPERTY of an overlay from BEG to END in the selected window."
  (let ((overlay (make-overlay beg end nil t)))
    (overlay-put overlay property text)
    (overlay-put overlay 'priority 100)
    (overlay-put overlay 'window (selected-window))
    (overlay-put overlay 'ghostfill t)
    (push overlay ghostfill--overlays)))

(defun ghostfill--find-last (text kept)
  "Where KEPT stands in TEXT, as late as possible."
  (let ((at (- (length text) (length kept))))
    (while (and (>= at 0) (not (string-prefix-p kept (substring text at))))
      (setq at (1- at)))
    (and (>= at 0) at)))

(defun ghostfill--draw-at-point (text point)
  "Show TEXT before the character at POINT, where the cursor stays.
The cursor would go on to that character if it were not drawn again."
  (cond
   ((string-empty-p text))
   ((memq (char-after point) '(nil ?\n))
    (ghostfill--overlay point point 'after-string (ghostfill--holding-cursor text)))
   (t (ghostfill--overlay point (1+ point) 'display
                          (concat (ghostfill--holding-cursor text)
                                  (buffer-substring point (1+ point)))))))

(defun ghostfill--draw (offer)
  "Show OFFER instead of what is on the screen."
  (ghostfill--undraw)
  (let* ((place (ghostfill-offer-place offer))
         (text (ghostfill-offer-text offer))
         (point (ghostfill-place-point place))
         (end (+ point (ghostfill-offer-tail offer)))
         (tail (substring (ghostfill-place-after place) 0 (ghostfill-offer-tail offer)))
         (at (ghostfill--find-last text tail)))
    (with-current-buffer (ghostfill-place-buffer place)
      (cond
       ((= point end) (ghostfill--draw-at-point text point))
       (at (ghostfill--draw-at-point (substring text 0 at) point)
           (ghostfill--overlay end end 'after-string
                               (ghostfill--ghostly (substring text (+ at (length tail))))))
       ((string-empty-p text) (ghostfill--overlay point end 'invisible t))
       (t (ghostfill--overlay point end 'display (ghostfill--holding-cursor text)))))))

(provide 'ghostfill-ghost)
;;; ghostfill-ghost.el ends here
