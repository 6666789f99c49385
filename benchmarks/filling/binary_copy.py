"""PostgreSQL's binary COPY from whole numpy arrays: no Python object per value.

Source: the format in PostgreSQL's documentation of COPY ("Binary Format"); a `halfvec` is its
dimension, two unused bytes and big-endian half floats (pgvector's halfvec_recv).
"""

from collections.abc import Mapping

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no header extension
TRAILER = b"\xff\xff"
WIRE_TYPES = {"b": "?", "i8": ">i8", "i4": ">i4", "i2": ">i2", "f8": ">f8"}

Columns = Mapping[str, "NDArray[np.generic] | bytes"]


def copy_columns(cursor: psycopg.Cursor, table: str, columns: Columns, n_rows: int) -> None:
    """Append `n_rows` rows to `table`.

    Args:
        cursor: an open psycopg cursor.
        table: its name.
        columns: bool, int16, int32, int64 or float64 arrays of the column's own width, float16
            (n_rows, dimension) for a `halfvec`, or bytes: one text for all rows.
        n_rows: how many.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cursor.copy(statement) as copy:
        copy.write(SIGNATURE)
        if n_rows:
            copy.write(_rows(columns, n_rows).tobytes())
        copy.write(TRAILER)


def _rows(columns: Columns, n_rows: int) -> NDArray[np.void]:
    """All rows as one array of packed records, each value after its length in bytes."""
    values = {name: _wire_fields(name, column) for name, column in columns.items()}
    lengths = {name: np.dtype(fields).itemsize for name, fields in values.items()}
    record = [("n_fields", ">i2")]
    for name, fields in values.items():
        record += [(f"{name}_length", ">i4"), *fields]
    rows = np.zeros(n_rows, dtype=np.dtype(record))
    rows["n_fields"] = len(columns)
    for name, column in columns.items():
        rows[f"{name}_length"] = lengths[name]
        if lengths[name]:
            rows[name] = column
        if _is_vector(column):
            rows[f"{name}_dimension"] = column.shape[1]
    return rows


def _wire_fields(name: str, column: "NDArray[np.generic] | bytes") -> list[tuple]:
    """The fields of a value on the wire, without its length; none for the empty text."""
    if isinstance(column, bytes):
        return [(name, f"S{len(column)}")] if column else []
    if _is_vector(column):
        head = [(f"{name}_dimension", ">i2"), (f"{name}_unused", ">i2")]
        return [*head, (name, ">f2", (column.shape[1],))]
    return [(name, WIRE_TYPES[column.dtype.str[1:].replace("b1", "b")])]


def _is_vector(column: "NDArray[np.generic] | bytes") -> bool:
    return not isinstance(column, bytes) and column.dtype == np.float16
