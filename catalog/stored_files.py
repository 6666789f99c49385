"""Files in storage that follow the database: none survives a rollback, none goes before commit."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import FileField, Model
from django.db.models.fields.files import FieldFile

from catalog.thumbnails import thumbnail_names


class NewFiles:
    """Files that were stored for rows which are not committed yet."""

    def __init__(self) -> None:
        self._stored: list[tuple[FileField, str]] = []

    def store(self, field: FileField, content: bytes, suffix: str) -> str:
        """Store content under a name of the field's making; the name, for the row."""
        name = field.generate_filename(None, f"upload{suffix}")
        name = field.storage.save(name, ContentFile(content))
        self._stored.append((field, name))
        return name

    def discard(self) -> None:
        """Delete them all."""
        for field, name in self._stored:
            with suppress(OSError):  # what cannot be deleted is an orphan, not a reason to stop
                field.storage.delete(name)


@contextmanager
def new_files() -> Iterator[NewFiles]:
    """Files for one transaction, which must lie inside: when it fails, they are deleted again."""
    files = NewFiles()
    try:
        yield files
    except BaseException:  # Ctrl-C too
        files.discard()
        raise


def delete_after_commit(file: FieldFile) -> None:
    """Delete a stored file and its thumbnails once the rows no longer name it.

    Nothing for an empty field.
    """
    if file:
        for name in (file.name, *thumbnail_names(file.name)):
            transaction.on_commit(partial(file.storage.delete, name), robust=True)


def delete_files_of(instance: Model, **signal: object) -> None:
    """Receiver of `post_delete`: a deleted row's files go too."""
    for field in instance._meta.fields:
        if isinstance(field, FileField):
            delete_after_commit(getattr(instance, field.attname))
