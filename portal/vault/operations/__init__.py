"""The operations of the data zone, one file a subject; importing a file registers what it has."""

import importlib
import pkgutil


def load() -> None:
    """Import every file here, so that the registry is complete; safe to repeat."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
