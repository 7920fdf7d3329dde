"""`whytree.js`, our own browser module, and the address it is served at."""
