; near: \bimport\b|\brequire\s*[.(]|\bfrom\s*["']|\b(?:jest|vi)\s*\.

; import "m"; import d, {a as b} from "m"; import * as n from "m"
(import_statement source: (string (string_fragment) @module)) @import
(import_statement (import_clause (identifier) @default) source: (string (string_fragment) @module)) @import
(import_statement
  (import_clause (namespace_import (identifier) @namespace))
  source: (string (string_fragment) @module)) @import
(import_statement
  (import_clause (named_imports (import_specifier name: _ @name alias: _? @alias)))
  source: (string (string_fragment) @module)) @import

; export {a as b} from "m"; export * from "m"; export * as n from "m"
(export_statement source: (string (string_fragment) @module)) @import @reexport
(export_statement
  (export_clause (export_specifier name: _ @name alias: _? @alias))
  source: (string (string_fragment) @module)) @import
(export_statement "*" @star source: (string (string_fragment) @module)) @import
(export_statement
  (namespace_export (_) @namespace)
  source: (string (string_fragment) @module)) @import

; require("m"), wherever it stands
((call_expression
  function: (identifier) @_require
  arguments: (arguments . (string . (string_fragment) @module .) .)) @import
  (#eq? @_require "require"))

; const n = require("m"), also awaited import("m") and chains: n = module.exports = require("m")
((variable_declarator
  name: (identifier) @namespace
  value: [
    (call_expression
      function: (_) @_require
      arguments: (arguments . (string . (string_fragment) @module .) .))
    (await_expression (call_expression
      function: (_) @_require
      arguments: (arguments . (string . (string_fragment) @module .))))
    (assignment_expression right: (call_expression
      function: (_) @_require
      arguments: (arguments . (string . (string_fragment) @module .) .)))
  ]) @import
  (#any-of? @_require "require" "import"))

; const {a: b, c, d = 1} = require("m")
((variable_declarator
  name: (object_pattern [
    (shorthand_property_identifier_pattern) @name
    (pair_pattern key: (property_identifier) @name value: (identifier) @alias)
    (object_assignment_pattern left: (shorthand_property_identifier_pattern) @name)
  ])
  value: [
    (call_expression
      function: (_) @_require
      arguments: (arguments . (string . (string_fragment) @module .) .))
    (await_expression (call_expression
      function: (_) @_require
      arguments: (arguments . (string . (string_fragment) @module .))))
  ]) @import
  (#any-of? @_require "require" "import"))

; const b = require("m").a
((variable_declarator
  name: (identifier) @alias
  value: (member_expression
    object: (call_expression
      function: (identifier) @_require
      arguments: (arguments . (string . (string_fragment) @module .) .))
    property: (property_identifier) @name)) @import
  (#eq? @_require "require"))

; import("m"), require.resolve("m"), jest.mock("m"): nothing is bound, and not while the file loads
(call_expression
  function: (import)
  arguments: (arguments . (string . (string_fragment) @module .))) @import @lazy
((call_expression
  function: (member_expression) @_call
  arguments: (arguments . (string . (string_fragment) @module .))) @import @lazy
  (#any-of? @_call
    "require.resolve" "jest.mock" "jest.doMock" "jest.unmock" "jest.requireActual" "jest.requireMock"
    "vi.mock" "vi.doMock" "vi.unmock" "vi.importActual" "vi.importMock"))

; what stands inside these runs later
(function_declaration) @function
(generator_function_declaration) @function
(function_expression) @function
(generator_function) @function
(arrow_function) @function
(method_definition) @function
