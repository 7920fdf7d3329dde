"""Pure: numbers in, numbers out. No Django, no clock, no database, no settings."""
