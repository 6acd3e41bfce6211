;;; ghostfill-lsp.el --- Positions, addresses and edits in the protocol's words -*- lexical-binding: t -*-

;; SPDX-License-Identifier: MIT

;;; Commentary:

;; Translates between buffers and the Language Server Protocol.  Pure apart from
;; the buffers it is pointed at; knows no server.

;;; Code:

(require 'url-util)

(defun ghostfill--units (text encoding)
  "The length of TEXT in the units of ENCODING, as a position encoding of LSP."
  (pcase encoding
    ("utf-32" (length text))
    ("utf-8" (string-bytes (encode-coding-string text 'utf-8-unix)))
    (_ (/ (string-bytes (encode-coding-string text 'utf-16le-unix)) 2))))

(defun ghostfill--chars (text units encoding)
  "How many characters of TEXT the first UNITS of ENCODING take, at most all."
  (if (equal encoding "utf-32")
      (min units (length text))
    (let ((count 0) (size (length text)))
      (while (and (< count size) (> units 0))
        (setq units (- units (ghostfill--units (substring text count (1+ count)) encoding))
              count (1+ count)))
      count)))

(defun ghostfill--position (point encoding)
  "The LSP position of POINT in the current buffer, in ENCODING."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char point)
      (let ((before (buffer-substring-no-properties (line-beginning-position) point)))
        (list :line (1- (line-number-at-pos point t))
              :character (ghostfill--units before encoding))))))

(defun ghostfill--range (beg end encoding)
  "The LSP range from BEG to END in the current buffer, in ENCODING."
  (list :start (ghostfill--position beg encoding) :end (ghostfill--position end encoding)))

(defun ghostfill--point (position encoding)
  "The place of the LSP POSITION, in ENCODING, in the current buffer.
It must be widened."
  (save-excursion
    (goto-char (point-min))
    (if (> (forward-line (plist-get position :line)) 0)
        (point-max)
      (let ((line (buffer-substring-no-properties (point) (line-end-position))))
        (+ (point) (ghostfill--chars line (plist-get position :character) encoding))))))

(defun ghostfill--uri (file)
  "The address of FILE."
  (let ((path (expand-file-name file)))
    (concat "file://" (if (string-prefix-p "/" path) "" "/")
            (url-hexify-string path url-path-allowed-chars))))

(defun ghostfill--file (uri)
  "The file at address URI, or nil if it is no local file."
  (when (string-prefix-p "file:///" uri)
    (let ((path (decode-coding-string (url-unhex-string (substring uri 7)) 'utf-8)))
      (if (string-match-p "\\`/[A-Za-z]:" path) (substring path 1) path))))

(defun ghostfill--sendable (text)
  "TEXT with stray bytes replaced, which JSON cannot hold; its length stays."
  (if (string-match-p "[^\u0000-\ud7ff\ue000-\U0010ffff]" text)
      (replace-regexp-in-string "[^\u0000-\ud7ff\ue000-\U0010ffff]" "\ufffd" text t t)
    text))

(provide 'ghostfill-lsp)
;;; ghostfill-lsp.el ends here
