"""When a process that runs tests looks for rubbish: not while it loads what stays to the end.

A plugin (``-p``, in pyproject.toml), so that it comes before the others and before any test module.
The collector's looks at half a million objects that stay were a third of all that collecting cost,
in each of the processes that share the tests, and a quarter of what the quick tests did.
"""

import gc

gc.disable()


def pytest_collection_finish() -> None:
    """From here on rubbish is collected; what stands now is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.enable()
