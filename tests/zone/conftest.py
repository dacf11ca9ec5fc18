"""For tests of one zone with its real neighbours: nothing is swallowed by the log."""

from portal.kit import log

log.configure("test", strict=True)
