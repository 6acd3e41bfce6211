; statements around definitions
(export_statement declaration: (_)) @wrap.export
(export_statement "default" declaration: (_)) @wrap.default
(lexical_declaration) @wrap
(variable_declaration) @wrap
(expression_statement [(assignment_expression)]) @wrap
(assignment_expression right: (assignment_expression)) @wrap
(decorator) @decorator
((comment) @doc (#match? @doc "^/[*][*]"))

; containers that add nothing: what cannot be read, blocks, functions called where they stand
(ERROR) @inside
(if_statement consequence: (statement_block) @inside)
(else_clause (statement_block) @inside)
(if_statement alternative: (else_clause) @inside)
(try_statement body: (statement_block) @inside)
(expression_statement (call_expression
  function: (parenthesized_expression (_ body: (statement_block) @inside))))
(expression_statement (parenthesized_expression (call_expression
  function: (_ body: (statement_block) @inside))))
(expression_statement (call_expression
  function: (parenthesized_expression) arguments: (arguments (_ body: (statement_block) @inside))))
((expression_statement (call_expression
  function: (identifier) @_define arguments: (arguments (_ body: (statement_block) @inside))))
  (#eq? @_define "define"))
(expression_statement (unary_expression (call_expression
  function: (_ body: (statement_block) @inside))))

; functions
(function_declaration name: (_) @name body: (_) @body) @def.function
((function_declaration name: (_) @name body: (_) @fields) @def.function (#match? @name "^[A-Z]"))
(generator_function_declaration name: (_) @name body: (_) @body) @def.function

; classes
(method_definition name: (_) @name body: (_) @body) @def.function
((method_definition name: (_) @name body: (_) @fields) @def.function (#eq? @name "constructor"))
(expression_statement (assignment_expression
  left: (member_expression object: (this) property: (_) @name)
  right: (_) @value)) @attribute

; constants
(variable_declarator name: (identifier) @name value: (_)? @value) @def.variable
(variable_declarator
  name: [
    (object_pattern [
      (shorthand_property_identifier_pattern) @name
      (pair_pattern value: (identifier) @name)
      (pair_pattern value: (assignment_pattern left: (identifier) @name))
      (object_assignment_pattern left: (shorthand_property_identifier_pattern) @name)
      (rest_pattern (identifier) @name)
    ])
    (array_pattern [
      (identifier) @name
      (assignment_pattern left: (identifier) @name)
      (rest_pattern (identifier) @name)
    ])
  ]
  value: (_)? @value) @def.variable
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @def.function
((variable_declarator name: (identifier) @name value: (function_expression body: (_) @fields)) @def.function
  (#match? @name "^[A-Z]"))

; objects of functions
(variable_declarator
  name: (identifier) @name
  value: [
    (object [
      (method_definition)
      (pair value: [(arrow_function) (function_expression)])
    ]) @members
    (assignment_expression right: (object [
      (method_definition)
      (pair value: [(arrow_function) (function_expression)])
    ]) @members)
    (assignment_expression right: (assignment_expression right: (object [
      (method_definition)
      (pair value: [(arrow_function) (function_expression)])
    ]) @members))
  ]) @def.class
((variable_declarator name: (identifier) @name value: (object (shorthand_property_identifier)) @members)
  @def.class
  (#match? @members "^[^\\x00]{100}"))
; createSlice({...}), defineStore("name", {...}): the same
(variable_declarator
  name: (identifier) @name
  value: (call_expression arguments: (arguments (object [
    (method_definition)
    (pair value: [(arrow_function) (function_expression)])
    (pair value: (object [(method_definition) (pair value: [(arrow_function) (function_expression)])]))
  ]) @members .))) @def.class
((pair key: (_) @name value: (_) @value) @def.variable)
((pair
  key: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function)
((pair
  key: (_) @name
  value: (object [
    (method_definition)
    (pair value: [(arrow_function) (function_expression)])
  ]) @members) @def.class)
((shorthand_property_identifier) @name @def.variable)

; what is assigned outside
((assignment_expression
  left: (member_expression object: (identifier) @owner property: (property_identifier) @name)
  right: (_) @value) @def.variable
  (#not-match? @owner "^(exports|module)$"))
((assignment_expression
  left: (member_expression object: (identifier) @owner property: (property_identifier) @name)
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function
  (#not-match? @owner "^(exports|module)$"))
((assignment_expression
  left: (member_expression
    object: (member_expression object: (identifier) @owner property: (property_identifier) @_prototype)
    property: (property_identifier) @name)
  right: (_) @value) @def.variable
  (#eq? @_prototype "prototype"))
((assignment_expression
  left: (member_expression
    object: (member_expression object: (identifier) @owner property: (property_identifier) @_prototype)
    property: (property_identifier) @name)
  right: [
    (arrow_function body: (_) @body)
    (function_expression body: (_) @body)
    (generator_function body: (_) @body)
  ]) @def.function
  (#eq? @_prototype "prototype"))

; ES exports without a declaration
((export_statement value: (_) @value) @def.variable @default (#not-match? @value "^[A-Za-z_$][A-Za-z0-9_$]*$"))
(export_statement value: [
  (arrow_function body: (_) @body)
  (function_expression body: (_) @body)
  (generator_function body: (_) @body)
]) @def.function @default
(export_statement value: (object [
  (method_definition)
  (pair value: [(arrow_function) (function_expression)])
]) @members) @def.class @default
(export_statement value: (call_expression arguments: (arguments (object [
  (method_definition)
  (pair value: [(arrow_function) (function_expression)])
  (pair value: (object [(method_definition) (pair value: [(arrow_function) (function_expression)])]))
]) @members .))) @def.class @default
; a long list of names is members too
((export_statement value: (object (shorthand_property_identifier)) @members) @def.class @default
  (#match? @members "^[^\\x00]{100}"))
(export_statement value: (identifier) @name) @export.default
(export_statement !source (export_clause (export_specifier name: _ @name alias: _? @alias))) @export
(export_statement (export_clause (export_specifier name: _ @name !alias)) source: (_)) @export
(export_statement (export_clause (export_specifier alias: _ @name)) source: (_)) @export
(export_statement (namespace_export (_) @name)) @export
