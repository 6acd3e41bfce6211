; What only JavaScript's grammar has, and CommonJS. Follows `ecmascript`.

; classes
(class_declaration
  decorator: (_)* @decorator
  name: (_) @name
  (class_heritage (_) @base)?
  body: (_) @members) @def.class
(method_definition decorator: (_)+ @decorator name: (_) @name body: (_) @body) @def.function
((field_definition decorator: (_)* @decorator property: (_) @name value: (_)? @value) @def.variable
  (#set! end ";"))
((field_definition
  decorator: (_)* @decorator
  property: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function
  (#set! end ";"))
(variable_declarator
  name: (identifier) @name
  value: (class (class_heritage (_) @base)? body: (_) @members)) @def.class
(export_statement
  decorator: (_)* @decorator
  value: (class (class_heritage (_) @base)? body: (_) @members)) @def.class @default

; CommonJS: exports.f = ..., module.exports.f = ...
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @name @exported)
  right: (_) @value) @def.variable
  (#any-of? @_exports "exports" "module.exports")
  (#not-match? @value "^(module[.])?exports\\b|^[A-Za-z_$][A-Za-z0-9_$]*$"))
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @name @exported)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @def.function
  (#any-of? @_exports "exports" "module.exports"))
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @name @exported)
  right: (class (class_heritage (_) @base)? body: (_) @members)) @def.class
  (#any-of? @_exports "exports" "module.exports"))
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @alias)
  right: (identifier) @name) @export
  (#any-of? @_exports "exports" "module.exports"))
((assignment_expression
  left: (member_expression object: (_) @_exports property: (property_identifier) @alias)
  right: (assignment_expression
    left: (member_expression object: (_) @_second property: (property_identifier) @name))) @export
  (#any-of? @_exports "exports" "module.exports")
  (#any-of? @_second "exports" "module.exports"))

; CommonJS: module.exports = ...
((assignment_expression left: (member_expression) @_exports right: (_) @value) @def.variable @default
  (#eq? @_exports "module.exports")
  (#not-match? @value "^[A-Za-z_$][A-Za-z0-9_$]*$"))
((assignment_expression
  left: (member_expression) @_exports
  right: [
    (arrow_function body: (_) @body)
    (function_expression name: (_)? @name body: (_) @body)
    (generator_function name: (_)? @name body: (_) @body)
  ]) @def.function @default
  (#eq? @_exports "module.exports"))
((assignment_expression
  left: (member_expression) @_exports
  right: (function_expression
    name: (_)? @name
    body: (statement_block (function_declaration)) @members)) @def.function @default
  (#eq? @_exports "module.exports"))
((assignment_expression
  left: (member_expression) @_exports
  right: (class name: (_)? @name (class_heritage (_) @base)? body: (_) @members)) @def.class @default
  (#eq? @_exports "module.exports"))
((assignment_expression
  left: (member_expression) @_exports
  right: (object [
    (method_definition)
    (pair value: [(arrow_function) (function_expression)])
  ]) @members) @def.class @default
  (#eq? @_exports "module.exports"))
; a long list of names is members too
((assignment_expression
  left: (member_expression) @_exports
  right: (object (shorthand_property_identifier)) @members) @def.class @default
  (#eq? @_exports "module.exports")
  (#match? @members "^[^\\x00]{100}"))
((assignment_expression left: (member_expression) @_exports right: (identifier) @name) @export.default
  (#eq? @_exports "module.exports"))
((assignment_expression
  left: (member_expression) @_exports
  right: (object [
    (shorthand_property_identifier) @name
    (pair key: (property_identifier) @alias value: (identifier) @name)
  ])) @export
  (#eq? @_exports "module.exports"))
((variable_declarator name: (identifier) @name value: [
  (assignment_expression left: (_) @_exports)
  (assignment_expression right: (assignment_expression left: (_) @_exports))
]) @export.default
  (#eq? @_exports "module.exports"))
