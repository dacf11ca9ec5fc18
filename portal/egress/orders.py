"""Orders that were registered for a charge and wait for its card.

Zone: egress. Some companies take a charge in two calls: the first says sum and reference and is
answered with the order's name and its password, the second has the card charged for that order.
The second says no sum. So the relay itself carries the order from one to the other, by the attempt
that both are for: a worker that named the order could have one person's card pay what another owes.
Neither value reaches the caller. What the relay forgets (it is short of memory, or another one
takes over) is not charged: the card was not redeemed yet, and a new order may be registered.

Source: EntryTran and ExecTran of GMO Payment Gateway, recordings of t-k/gmo-payment-ruby (MIT).
"""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from portal.egress.denial import Denied
from portal.egress.job import Job
from portal.egress.template import ORDER, ORDER_PASS
from portal.kit.clock import Clock
from portal.kit.outbound.wire import OutboundAnswer

LIFE: Final = timedelta(minutes=2)
"""Between the two calls there is one look at an answer."""

ORDERS_MAX: Final = 10_000
_OK: Final = 200
_ACCESS: Final = re.compile(r"[0-9a-zA-Z]{32}")
_FIELDS_MAX: Final = 10
_BYTES_MAX: Final = 1_000


class Orders:
    """One a relay. An order is used once, for the host and the attempt that it was made for."""

    def __init__(self, clock: Clock) -> None:
        """``clock`` tells when an order is too old."""
        self._clock = clock
        self._known: dict[tuple[str, UUID], tuple[datetime, dict[str, str]]] = {}

    def note(self, job: Job, answer: OutboundAnswer) -> dict[str, str]:
        """Keep the order that an answer names, if the request registered one; what is scrubbed."""
        attempt_id = job.request.delivery_id
        is_order = job.template is not None and job.template.is_charge
        if not is_order or attempt_id is None or job.template is None:
            return {}
        order = read_order(answer) if job.template.part == "order" else {}
        if order:
            self._forget_old()
            self._known[(job.host, attempt_id)] = (self._clock.wall(), order)
        return order

    def take(self, job: Job, attempt_id: UUID) -> dict[str, str]:
        """The order that a charge is for, where its rule says one.

        Raises: Denied ``order_unknown``.
        """
        if job.template is None or ORDER not in job.template.placeholders:
            return {}
        self._forget_old()
        known = self._known.pop((job.host, attempt_id), None)
        if known is None:
            raise Denied("order_unknown", is_attempt=False)
        return known[1]

    def _forget_old(self) -> None:
        now = self._clock.wall()
        for key, (made_at, _) in list(self._known.items()):
            if now - made_at < LIFE and len(self._known) < ORDERS_MAX:
                break  # they stand in the order in which they were made
            del self._known[key]


def read_order(answer: OutboundAnswer) -> dict[str, str]:
    """What a company calls the order that it registered, and what acts on it; none: it did not."""
    if answer.fate != "answered" or answer.status != _OK or len(answer.body) > _BYTES_MAX:
        return {}
    try:
        pairs = parse_qsl(answer.body.decode("ascii").strip(), max_num_fields=_FIELDS_MAX)
    except ValueError:
        return {}
    said = dict(pairs)
    name, password = said.get("AccessID", ""), said.get("AccessPass", "")
    if len(said) != len(pairs) or not _ACCESS.fullmatch(name) or not _ACCESS.fullmatch(password):
        return {}
    return {ORDER: name, ORDER_PASS: password}
