"""Named places where a process may be made to die, so that a drill can prove what survives.

Zone-less. A crash point does nothing unless ``HARAI_CRASH_POINT`` names it; then the process ends
at once, without clean-up, as after a kill. ``HARAI_CRASH_OPERATION`` narrows a point of the vault
to one operation, ``HARAI_CRASH_SKIP`` lets the first hits pass. Set outside a drill they only stop
the process; they can open nothing.
"""

import os
from typing import Final

CRASH_POINTS: Final[dict[str, str]] = {
    "vault.before_commit": "an operation that dies before its commit leaves nothing behind",
    "vault.after_commit": "an operation that dies after its commit happened once, whatever the"
    " caller does next",
    "worker.after_lease": "a leased task whose worker dies is leased again by another",
    "worker.before_send": "messages taken but not sent come back in a later slice",
    "worker.before_report": "messages sent but not reported are asked about, never sent twice",
    "worker.after_inquiry": "a finding that was not booked is asked for again",
    "web.before_submission": "an attempt that was never submitted is found out by inquiry",
    "web.after_submission": "an attempt submitted but not recorded is found out by inquiry",
    "web.after_inquiry": "a finding that the return page did not book is asked for again",
    "web.after_store_part": "an upload whose parts were stored goes on after them",
    "web.before_finish_upload": "a file that arrived whole but was not finished is finished again",
    "web.before_notice": "a notice that was not stored was not acknowledged and comes again",
    "egress.after_redeem": "a delivery redeemed but not sent is ambiguous, not lost",
    "egress.after_send": "a request sent whose answer was lost is unclear, not repeated",
}
"""Name of a crash point → what its drill proves. A test walks all names."""

EXIT_CODE: Final = 137
"""What a killed process leaves: 128 + SIGKILL."""

_skipped = 0


def crash_point(name: str, operation: str | None = None) -> None:
    """Die here if the environment says so.

    Raises: KeyError for a name that is not in CRASH_POINTS, so that no point escapes the test.
    """
    if name not in CRASH_POINTS:
        raise KeyError(name)
    if os.environ.get("HARAI_CRASH_POINT") != name:
        return
    wanted = os.environ.get("HARAI_CRASH_OPERATION")
    if wanted is not None and operation is not None and wanted != operation:
        return
    global _skipped  # noqa: PLW0603  # a count of hits in this process; it dies with it
    if _skipped < int(os.environ.get("HARAI_CRASH_SKIP", "0")):
        _skipped += 1
        return
    os._exit(EXIT_CODE)
