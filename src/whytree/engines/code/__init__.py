"""What source code says by itself: the flags it asks for, the events it sends, the fields it reads, where a symbol stands.

`python/` reads Python by its syntax tree; other languages are read by the shape of their calls.
What its people wrote down beside it: `decision_records`, `owners`.
"""
