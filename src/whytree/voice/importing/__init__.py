"""From a file to voices: recognise it, map its columns where nobody knows it, send its rows. `files` imports no Django."""
