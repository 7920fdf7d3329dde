"""Themes: what many voices are about. Found by machine, and named, joined, split or adopted by people."""
