"""The index's one table, and how the whole index is made anew from the folders.

SQLModel says what the table is and fills it. Importing it takes longer (400 ms and more) than
`checkout-sim runs` may take in all, so `index.py` reads and follows up through the standard
library's driver; a test holds its columns to these.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, create_engine, text


class _Row(SQLModel, registry=registry()):
    """A metadata of our own: the services' tables live in theirs."""


class IndexedRun(_Row, table=True):
    """One run; `stamp` is when its verdict was written, in ns, and 0 while there is none."""

    __tablename__ = "run"

    id: str = Field(primary_key=True)
    stamp: int
    began: str | None = None
    scenario: str
    strategy: str
    seed: int | None = None
    verdict: str | None = None
    as_expected: bool | None = None
    engine: str | None = None
    checkouts: int | None = None
    broken: str = ""


def create(path: Path, rows: Iterable[dict[str, Any]], *, version: int) -> None:
    """Make the index whole beside its place, then move it there: readers meet the old or the new.

    Raises OSError or SQLAlchemyError; what was there before then stays.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{fresh}", poolclass=NullPool)
    try:
        _Row.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(IndexedRun(**row) for row in rows)
            session.connection().execute(text(f"PRAGMA user_version = {version:d}"))
            session.commit()
        fresh.replace(path)
    finally:
        engine.dispose()
        fresh.unlink(missing_ok=True)
