"""Finding voices: by their words, by what was narrowed down, and those who said the same."""
