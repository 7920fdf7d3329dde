"""Where the engine is, how it is reached and locked, its tables as numbered migrations, and what it found damaged."""
