"""Values of fields: their types, columns and rows, and the scopes in which they have names."""
