"""Web is what people see: one module per screen, no rules of its own."""
