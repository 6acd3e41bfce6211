; CommonJS. Follows `ecmascript`.

; exports.n = require("m")
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @namespace)
  right: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string . (string_fragment) @module .) .))) @import
  (#any-of? @_exports "exports" "module.exports")
  (#eq? @_require "require"))

; exports.b = require("m").a
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @alias)
  right: (member_expression
    object: (call_expression
      function: (identifier) @_require
      arguments: (arguments . (string . (string_fragment) @module .) .))
    property: (property_identifier) @name)) @import
  (#any-of? @_exports "exports" "module.exports")
  (#eq? @_require "require"))

; module.exports = require("m"): another file's exports are this one's
((assignment_expression
  left: (member_expression) @_exports
  right: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string . (string_fragment) @module .) .)) @star.default) @import @reexport
  (#eq? @_exports "module.exports")
  (#eq? @_require "require"))
