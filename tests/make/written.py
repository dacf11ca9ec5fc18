"""What our processes' log says, as it would stand in the file."""

import io
from collections.abc import Generator
from contextlib import contextmanager

import structlog

from portal.kit.log import configure


@contextmanager
def written_log() -> Generator[io.StringIO]:
    """Lead the log of this process to a text for a while.

    pytest's own capture sees nothing of it: the log was led to the stderr of another moment.
    """
    before = structlog.get_config()
    configure("test", strict=True)
    lines = io.StringIO()
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(lines))
    try:
        yield lines
    finally:
        structlog.configure(**before)
