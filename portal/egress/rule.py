"""One rule of what may leave: what it says, and what follows from that.

Zone: egress; pure. Which rules make a file is ``portal.egress.rules``' work, and what one means for
a request ``portal.egress.policy``'s.
"""

from datetime import datetime
from typing import Literal

import msgspec

from portal.egress.card_payment import CardPayment
from portal.egress.pushing import Pushing
from portal.egress.query import Parameter
from portal.egress.refund import RefundPlaces
from portal.egress.signing import Signer
from portal.egress.submission import Submission

Mode = Literal["originate", "tunnel", "submit", "push"]
Charset = Literal["utf-8", "windows-31j"]
Protocol = Literal["http/1.1", "h2"]
"""What is spoken with a host, as TLS names it. Source: RFC 7301, RFC 9113 §3.2."""

Deposit = Literal["", "mandate"]
"""What answers under a rule are, that go into the vault and to nobody else; "" for none."""


class Rule(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What one role may send to one host and port.

    ``originate`` (the default): the relay speaks TLS itself and checks ``methods`` and
    ``path_prefixes`` (a prefix ends where a segment ends); with a ``path_end`` only paths
    whose last segment that is, before any rule without. ``headers`` are allowed beside
    HEADERS_FOR_ALL. ``credentials`` may stand in the Authorization header, or where ``fixed``
    puts them. ``fixed`` maps a place (``header:authorization``, ``body:/to``) to the exact
    template that must stand there, so that an owned caller can't word a message or choose its
    addressee: ``{"body:/to": "{{delivery:to}}", "body:/text": "{{delivery:body}}"}``. ``fields``,
    when given, are all that the body may have at its top, so that no ``cc`` goes round that.
    ``query``, when given, is the query that every request must have, parameter by parameter and in
    this order; see ``portal.egress.query``. A form is written in ``charset``. With a ``signer`` the
    Authorization header is the relay's own. With ``answers_to`` "vault" what comes back goes to the
    vault, under a try that the vault opened for it, and the caller learns how much it was; the last
    segment of the path is the vault's to say.

    ``tunnel`` (CONNECT): the caller speaks TLS through the relay; a road out for whoever has an
    account at the host, so it needs its ``purpose`` spelled out.

    ``refund``: a request gives money back; nothing leaves before the vault has agreed to it, under
    the refund's ``delivery_id``, and it hears from the relay what never got there.

    ``card_payment``: a request is about a payment by a card on file whose payer is there; what the
    company answers of it goes to the vault as well.

    ``deposit``: a 200's body goes into the vault under the request's ``deposit_id``, and so does
    the fact of a 404; whatever the status the caller sees no header and no body. The path is one
    segment below a prefix, without a query: about anything else a 404 would be a false word.

    ``submit`` (SMTP): mails of the vault, built and signed by the relay as ``submission`` says.

    ``push``: notifications of the vault, made and signed by the relay as ``pushing`` says.
    ``protocol``: a host that takes HTTP/2 alone (Apple's) needs "h2".

    ``address`` pins the name to one address, of any kind, and ``sandbox`` trusts the demo's CA:
    both or neither, and never in production.

    Units: bytes, seconds, UTC.
    """

    id: str
    role: str
    host: str
    port: int
    purpose: str
    bytes_up_per_hour: int
    mode: Mode = "originate"
    methods: tuple[str, ...] = ()
    path_prefixes: tuple[str, ...] = ()
    path_end: str = ""
    headers: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    fixed: dict[str, str] = {}
    fields: tuple[str, ...] = ()
    query: tuple[Parameter, ...] = ()
    charset: Charset = "utf-8"
    protocol: Protocol = "http/1.1"
    signer: Signer | None = None
    submission: Submission | None = None
    refund: RefundPlaces | None = None
    card_payment: CardPayment | None = None
    pushing: Pushing | None = None
    answers_to: Literal["caller", "vault"] = "caller"
    answer_bytes_max: int = 64 * 1024
    connect_timeout_s: float = 5.0
    timeout_s: float = 30.0
    concurrency_max: int = 64
    deposit: Deposit = ""
    idle_timeout_s: float = 60.0
    not_before: datetime | None = None
    expires_at: datetime | None = None
    address: str | None = None
    sandbox: bool = False

    @property
    def shapes_body(self) -> bool:
        """Whether the rule says something of the body, so that it must be there and readable."""
        fixes = any(place.startswith("body:") for place in self.fixed)
        return bool(self.fields) or fixes or self.refund is not None

    @property
    def keeps_answers(self) -> bool:
        """Whether answers go to the vault."""
        return self.answers_to == "vault"

    @property
    def signer_name(self) -> str:
        """Whose signature requests under the rule leave with; "" for none."""
        return "" if self.signer is None else self.signer.name

    def names_one(self, path: str) -> bool:
        """Whether ``path`` is one plain segment below a prefix of the rule, and nothing more."""
        names = [path.removeprefix(f"{prefix.rstrip('/')}/") for prefix in self.path_prefixes]
        return any(name not in {"", path} and not {"/", "?"} & set(name) for name in names)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Every credential that the rule works with: in placeholders, or to sign."""
        return (*self.credentials, *self.unshown)

    @property
    def unshown(self) -> tuple[str, ...]:
        """Credentials that the relay alone works with: no placeholder may show them."""
        signing = () if self.signer is None else (self.signer.key, self.signer.secret)
        mails = () if self.submission is None else self.submission.secret_names
        return (*signing, *mails, *(() if self.pushing is None else self.pushing.secret_names))
