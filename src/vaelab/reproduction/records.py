"""Finished rows, one JSON file a table, written the moment each is done."""

import json
from pathlib import Path
from typing import Any

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.tensors import write_bytes_safely

Record = dict[str, Any]
KEY = ("row", "prior", "seed")


def record_file(folder: Path, table: str) -> Path:
    return folder / f"{table}.json"


def read_records(folder: Path, table: str) -> list[Record]:
    """The finished rows of a table; none where there is no file.

    **Raises:** `VaelabError` for a file that is no list of records.
    """
    path = record_file(folder, table)
    if not path.is_file():
        return []
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise VaelabError(
            translated(
                "{path}: not JSON ({error}); restore it, or delete it to begin the table again", path=path, error=error
            )
        ) from None
    if not isinstance(records, list) or not all(
        isinstance(record, dict) and set(KEY) <= set(record) for record in records
    ):
        raise VaelabError(
            translated(
                "{path}: expected a list of results with {key}; restore it, or delete it to begin the table again",
                path=path,
                key=", ".join(KEY),
            )
        )
    return records


def is_done(records: list[Record], row: str, prior: str, seed: int) -> bool:
    return any((record["row"], record["prior"], record["seed"]) == (row, prior, seed) for record in records)


def add_record(folder: Path, table: str, record: Record) -> None:
    """Add a row, in place of an older one with the same row, prior and seed."""
    mine = [record[name] for name in KEY]
    kept = [old for old in read_records(folder, table) if [old[name] for name in KEY] != mine]
    text = json.dumps([*kept, record], indent=1, allow_nan=False) + "\n"
    write_bytes_safely(record_file(folder, table), text.encode())
