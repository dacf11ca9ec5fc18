"""Every time-out, size and count that bounds a wait, a queue or a buffer, by name; no behaviour.

Units stand at the end of a name. A zone that needs a number of its own keeps it in its settings;
what two zones must agree on stands here.
"""

from typing import Final

# --- The data API's channel (vault and its callers) -------------------------------------------
HANDSHAKE_TIMEOUT_S: Final = 5.0
"""TLS handshake and the vault's first frame must be done within this."""

FRAME_DEADLINE_S: Final = 10.0
"""From a frame's first byte to its last; a slower sender is cut off."""

CALLS_IN_FLIGHT_MAX: Final = 128
"""Calls of one channel that the vault works on at once; beyond it the vault stops reading."""

CALL_BYTES_IN_FLIGHT_MAX: Final = 8 * 1024 * 1024
"""Request bytes of one channel held at once; beyond it the vault stops reading."""

CHANNELS_MAX: Final = 64
"""Channels one vault serves at once."""

CALL_TIMEOUT_S: Final = 10.0
"""How long a caller waits for an ordinary answer."""

CONNECT_WAIT_S: Final = 10.0
"""How long a zone that starts waits for the vault to be there."""

RECONNECT_MIN_S: Final = 0.05
RECONNECT_MAX_S: Final = 2.0
"""A caller that lost its vault tries again after growing pauses between these."""

PARAMETER_AHEAD_S: Final = 20
"""How far ahead callers let one-time parameters expire (30 is the most the vault takes)."""

# --- PostgreSQL, as the vault uses it ---------------------------------------------------------
STATEMENT_TIMEOUT_MS: Final = 10_000
LOCK_TIMEOUT_MS: Final = 3_000
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 15_000
DATABASE_CONNECTIONS_MAX: Final = 20
CONNECTION_WAIT_S: Final = 5.0
TRANSACTION_TRIES_MAX: Final = 4
"""Tries of one operation that met a deadlock or a serialisation failure."""

OPERATION_TIMEOUT_S: Final = 30.0
"""One operation, all tries and waits for a connection included."""

# --- Tasks ------------------------------------------------------------------------------------
AWAIT_WORK_MAX_S: Final = 25.0
WORK_POLL_S: Final = 1.0
HINT_LIFE_S: Final = 5.0
"""A hint that no lease followed within this is given again."""

LEASE_LIFE_S: Final = 30.0
LEASE_AUTHORITY_LIFE_S: Final = 3600
TASK_TRIES_MAX: Final = 20
TASK_BACKOFF_MAX_S: Final = 900.0
HINTS_MAX: Final = 500

# --- Authorities ------------------------------------------------------------------------------
STAFF_SESSION_S: Final = 8 * 3600
API_KEY_LIFE_S: Final = 5 * 365 * 86_400
CALLER_AUTHORITY_S: Final = 7 * 86_400
LOGIN_TICKET_LIFE_MAX_S: Final = 86_400
LOGIN_FAILURES_MAX: Final = 5
LOGIN_LOCK_S: Final = 60.0
LOGIN_LOCK_MAX_S: Final = 3600.0
"""The first lock lasts LOGIN_LOCK_S and doubles with every further failure up to this."""

PASSWORD_CHARACTERS_MIN: Final = 12
PASSWORD_CHARACTERS_MAX: Final = 1024

# --- Files ------------------------------------------------------------------------------------
FILE_PART_BYTES_MAX: Final = 1024 * 1024
RESULT_PARTS_MAX: Final = 120
"""Parts of a bank's answer to a debit file: 999,999 records and their line ends are 117."""

DEBIT_FILE_BYTES_MAX: Final = RESULT_PARTS_MAX * FILE_PART_BYTES_MAX
"""A debit file, and a bank's answer to one: as many lines as six digits count are 122 MB."""

# --- Audit ------------------------------------------------------------------------------------
AUDIT_SEAL_S: Final = 0.5
"""Pause between two runs of the sealer; committed rows are chained at most 1 s later."""
