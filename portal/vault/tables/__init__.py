"""Data zone: the tables as SQLModel classes, one file a noun; the schema's source.

Migrations are plain SQL; a test holds both in step. Operations use statements, not these classes.
"""

import importlib
import pkgutil

from sqlalchemy import MetaData
from sqlmodel import SQLModel


def metadata() -> MetaData:
    """All tables of the vault, whichever of them were imported before."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return SQLModel.metadata
