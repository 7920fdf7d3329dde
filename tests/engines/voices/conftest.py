"""A file with this content, opened as an export."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Any]:
    """`opened("id,title\\n...", "posts.csv")`: text, bytes, or anything that JSON can hold."""
    from whytree.engines.voices import open_export

    def write(content: Any, name: str = "export.csv", **how: Any) -> Any:
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return open_export(file, **how)

    return write


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """`zipped({"users.json": [...]})`: a ZIP of JSON files."""

    def pack(files: dict[str, Any], name: str = "export.zip") -> Path:
        file = tmp_path / name
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for inner, content in files.items():
                archive.writestr(inner, content if isinstance(content, str | bytes) else json.dumps(content))
        return file

    return pack


def said(export: Any) -> list[dict[str, Any]]:
    """What its voices say, in order; a row that cannot be read fails the test."""
    return [one.values for one in export]
