"""Options that commands of several rooms share."""

from typing import Annotated

import typer

Unproved = Annotated[
    bool,
    typer.Option(
        "--unproved", help="With --mail: also to addresses that only a page or a mail said, and nobody proved."
    ),
]
