; What only TypeScript has. Follows `ecmascript`.

; statements around definitions
(ambient_declaration) @wrap
(ambient_declaration "global" (statement_block) @inside)
(expression_statement (internal_module)) @wrap
(export_statement "=" (identifier) @name) @export.default

; functions without a body: overloads, `declare`
(function_signature name: (_) @name) @def.function

; classes
(class_declaration
  decorator: (_)* @decorator
  name: (_) @name
  (class_heritage
    (extends_clause value: (_) @base)?
    (implements_clause (_) @base)?)?
  body: (_) @members) @def.class
(abstract_class_declaration
  decorator: (_)* @decorator
  name: (_) @name
  (class_heritage
    (extends_clause value: (_) @base)?
    (implements_clause (_) @base)?)?
  body: (_) @members) @def.class
(variable_declarator
  name: (identifier) @name
  value: (class (class_heritage
    (extends_clause value: (_) @base)?
    (implements_clause (_) @base)?)? body: (_) @members)) @def.class
(export_statement
  decorator: (_)* @decorator
  value: (class (class_heritage
    (extends_clause value: (_) @base)?
    (implements_clause (_) @base)?)? body: (_) @members)) @def.class @default
((public_field_definition decorator: (_)* @decorator name: (_) @name value: (_)? @value) @def.variable
  (#set! end ";"))
((public_field_definition
  decorator: (_)* @decorator
  name: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @def.function
  (#set! end ";"))
((abstract_method_signature name: (_) @name) @def.function (#set! end ";"))

; types
(interface_declaration name: (_) @name (extends_type_clause (_) @base)? body: (_) @members) @def.type
(type_alias_declaration name: (_) @name value: (_) @value.kept) @def.type
(type_alias_declaration name: (_) @name value: (object_type) @members) @def.type
((method_signature name: (_) @name) @def.function (#set! end ";"))
((property_signature name: (_) @name) @def.variable (#set! end ";"))
((call_signature) @def.function (#set! end ";"))
((construct_signature) @def.function (#set! end ";"))
((index_signature) @def.variable (#set! end ";"))
(enum_declaration name: (_) @name body: (_) @members) @def.type
((enum_assignment name: (_) @name value: (_) @value) @def.variable)

; namespaces
(internal_module name: (_) @name body: (_) @members) @def.class
(internal_module name: (nested_identifier object: (identifier) @name) body: (_) @members) @def.class
(module name: (_) @name body: (_) @members) @def.class
((property_identifier) @name @def.variable)
