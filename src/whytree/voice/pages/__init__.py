"""The place Voices: the inbox, one voice, passing one on, and the imports."""
