"""Logging for every process: one JSON line per event on stderr, fields from a list.

Zone-less. An event is ``noun.verb_past`` and its fields are ids, counts and codes; a field that is
not on the list below never reaches a line, so no name, number, address, link or key can. With
``strict`` (tests) such a field raises instead of being dropped.
"""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog
from structlog.types import Processor

FIELDS: Final = frozenset({
    # who and where
    "process", "instance", "zone", "caller", "kind", "role", "provider", "channel", "lane",
    "worker", "pid", "uid", "port", "host", "socket", "route", "method", "path_template",
    # ids, never names
    "merchant_id", "merchant_code", "bill_id", "import_id", "attempt_id", "delivery_id",
    "chunk_id", "chunk_no", "task_id", "case_id", "subject_id", "approval_id", "jti",
    "operation", "correlation_id", "notice_id", "reference", "job_id", "version",
    # how it went
    "code", "reason", "outcome", "state", "status", "error", "where", "attempt", "fate",
    "retry_in_s", "duration_ms", "waited_ms", "signal", "exit_code", "restarts",
    # how much
    "rows", "rows_good", "rows_faulty", "count", "bytes", "bytes_in", "bytes_out", "limit",
    "used", "sequence", "number", "fresh", "queued", "in_flight", "requests", "accepted",
    "refused", "unclear", "migrations", "offset_s",
    # structlog's own
    "event", "level", "at", "dropped_fields",
})  # fmt: skip
"""Every field a line may carry."""

Event = MutableMapping[str, Any]


class UnlistedFieldError(Exception):
    """A log call used a field that is not on the list; raised in strict mode only."""


def configure(process: str, *, strict: bool | None = None) -> None:
    """Send this process' events to stderr as JSON lines carrying ``process``.

    ``strict`` None means: strict under pytest only.
    """
    under_test = "PYTEST_CURRENT_TEST" in os.environ
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _adding("process", process),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _describe_error,
            _only_listed(strict=under_test if strict is None else strict),
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """The process' logger: ``log.info("bill.issued", bill_id=...)``."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def _adding(name: str, value: str) -> Processor:
    def add(_logger: object, _method: str, event: Event) -> Event:
        event.setdefault(name, value)
        return event

    return add


def _describe_error(_logger: object, _method: str, event: Event) -> Event:
    """Turn an exception into its type and place: its text may hold what it choked on."""
    fault = event.pop("exc_info", None)
    if fault is True:
        fault = sys.exc_info()[1]
    if isinstance(fault, BaseException):
        event.setdefault("error", type(fault).__name__)
        trace, last = fault.__traceback__, None
        while trace is not None:
            trace, last = trace.tb_next, trace
        if last is not None:
            code = last.tb_frame.f_code
            event.setdefault("where", f"{code.co_filename.rpartition('/')[2]}:{last.tb_lineno}")
    return event


def _only_listed(*, strict: bool) -> Processor:
    def check(_logger: object, _method: str, event: Event) -> Event:
        unlisted = sorted(event.keys() - FIELDS)
        if unlisted and strict:
            raise UnlistedFieldError(", ".join(unlisted))
        for name in unlisted:
            del event[name]
        if unlisted:
            event["dropped_fields"] = unlisted
        return event

    return check


def _to_json(value: object, **_options: object) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()
