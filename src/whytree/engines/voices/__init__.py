"""Read what people said from the exports of other systems, each recognised by its header or shape.

    from whytree.engines.voices import open_export

    export = open_export("posts.csv")          # None: a table of nobody's; raises UnreadableTable with a sentence
    print(export.recognised.name, export.recognised.why)    # "Canny posts", "by its columns “id”, “title” and “details”"
    for voice in export:                       # a Voice with a feedback item's fields, or a RowError with the reason
        ...
    print(export.left_out)                     # what is no voice of a user: {"team": 12, "machine": 3}

One module a family of systems. A reader gets one row and yields a `Said` for each thing somebody said in it; what it
does not read is kept beside. Nothing is looked up, nothing is written, no file is unpacked to disk.
"""

from .opening import TABLES, Export, Recognised, Voice, open_export, recognise_columns
from .records import Format, Said

__all__ = ["TABLES", "Export", "Format", "Recognised", "Said", "Voice", "open_export", "recognise_columns"]
