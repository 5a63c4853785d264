"""The proving ground: the engine against servers that misbehave, lines that break, and deaths at every step."""
