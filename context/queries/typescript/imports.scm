; import x = require("m")
(import_statement (import_require_clause
  (identifier) @namespace
  source: (string (string_fragment) @module))) @import

; import type {A} from "m"; export type {A} from "m"; export type * from "m"
(import_statement "type" @weak source: (string (string_fragment) @module)) @import
(import_statement
  "type" @weak
  (import_require_clause source: (string (string_fragment) @module))) @import
(export_statement "type" @weak source: (string (string_fragment) @module)) @import
