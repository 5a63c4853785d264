"""Events are what happened, in order: numbers only, never content."""
