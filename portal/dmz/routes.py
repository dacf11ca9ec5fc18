"""What the outside may ask for at all: every public path with its methods, sizes and rates.

DMZ. Values only: portal.dmz.nginx turns them into a configuration, a test compares them with the
application's own routes. A path or method that is not here never reaches the application. What
must not be here: rules about who may do what (the vault decides that); ``authority`` only tells
the reader what the application will ask for.
"""

from dataclasses import dataclass
from typing import Final, Literal

Method = Literal["GET", "HEAD", "POST", "PUT"]
RateClass = Literal[
    "link", "page", "pay", "login", "staff", "api", "upload", "notice", "static", "stream"
]
Authority = Literal[
    "none", "link secret", "payer cookie", "return token", "staff cookie", "login ticket",
    "mail's token", "API key or staff cookie", "upload token", "provider's notice, only a hint",
    "secret of one call, signed",
]  # fmt: skip

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second and address, and how many may come at once above that.

    ``scaled`` False: not widened where many clients share one address (PORTAL_DMZ_RATE_SCALE).
    """

    per_s: int
    burst: int
    scaled: bool = True


RATES: Final[dict[RateClass, Rate]] = {
    "link": Rate(10, 30),
    "page": Rate(20, 60),
    "pay": Rate(5, 20),
    "login": Rate(5, 20, scaled=False),
    "staff": Rate(30, 100),
    "api": Rate(50, 100),
    "upload": Rate(20, 40),
    "notice": Rate(100, 400),
    "static": Rate(100, 300),
    "stream": Rate(5, 20),
}

GET: Final[tuple[Method, ...]] = ("GET", "HEAD")
POST: Final[tuple[Method, ...]] = ("POST",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One public path. ``path`` is a template; ``{name}`` stands for one segment (see SEGMENTS).

    Units: ``body_max`` in bytes (0: a body is refused), ``answer_bps`` in bytes per second and
    connection, after the first 64 KiB. ``streams`` leaves the answer unbuffered (server-sent
    events), ``stream_in`` hands the body on as it arrives, so that none is kept in the DMZ.
    """

    name: str
    path: str
    methods: tuple[Method, ...]
    rate: RateClass
    authority: Authority
    body_max: int = 0
    answer_bps: int = 512 * KIB
    streams: bool = False
    stream_in: bool = False


SEGMENTS: Final = {
    "code": "[a-z0-9]{3,12}",
    "secret": "[A-Za-z0-9]{16,64}",
    "ref": "[A-Za-z0-9_-]{4,64}",
    "attempt": "[A-Za-z0-9_-]{4,64}",
    "token": "[A-Za-z0-9_-]{16,2048}",
    "ticket": r"[a-z0-9]{3,12}\.[A-Za-z0-9_-]{16,256}",
    "id": "[A-Za-z0-9_]{4,64}",
    "number": "[0-9]{1,10}",
    "mutation": "[A-Za-z][A-Za-z0-9_-]{1,63}",
    "provider": "[a-z][a-z0-9_]{1,31}",
    "message": r"[0-9a-z]{26}\.[0-9a-f]{24}",
    "turn": "[a-z0-9]{1,6}",
    "file": "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}",
}
"""Name of a path parameter → what it may look like. None allows a slash, a percent sign or a
leading dot, so no segment can climb."""

ROUTES: Final[tuple[Route, ...]] = (
    Route(name="home", path="/", methods=GET, rate="page", authority="none"),
    Route(
        name="login", path="/login", methods=("GET", "HEAD", "POST"), rate="login",
        authority="none", body_max=8 * KIB,
    ),
    Route(
        name="login_ticket", path="/login/ticket/{ticket}", methods=GET, rate="login",
        authority="login ticket",
    ),
    Route(
        name="logout", path="/logout", methods=POST, rate="login", authority="staff cookie",
        body_max=8 * KIB,
    ),
    Route(name="dashboard", path="/d", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="imports", path="/d/imports", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="import_new", path="/d/imports/new", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="import_paste", path="/d/imports/paste", methods=POST, rate="staff",
        authority="staff cookie", body_max=512 * KIB,
    ),
    Route(
        name="import", path="/d/imports/{id}", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="import_faults", path="/d/imports/{id}/faults.csv", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="bills", path="/d/bills", methods=("GET", "HEAD", "POST"), rate="staff",
        authority="staff cookie", body_max=16 * KIB,
    ),
    Route(name="bill", path="/d/bills/{id}", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="refunds", path="/d/refunds", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="unopened", path="/d/unopened", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="results", path="/d/results", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="slips", path="/d/slips", methods=("GET", "HEAD", "POST"), rate="staff",
        authority="staff cookie", body_max=512 * KIB,
    ),
    Route(name="paper_saved", path="/d/paper", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="contacts", path="/d/contacts", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="contacts_csv", path="/d/contacts.csv", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="print_batch", path="/d/slips/print/{id}", methods=POST, rate="staff",
        authority="staff cookie", body_max=8 * KIB,
    ),
    Route(name="debits", path="/d/debits", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="own_debits", path="/d/debits/own", methods=("GET", "HEAD", "POST"), rate="staff",
        authority="staff cookie", body_max=512 * KIB,
    ),
    Route(
        name="own_debits_file", path="/d/debits/own/{id}", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="debit_file", path="/d/debits/{id}/file", methods=POST, rate="staff",
        authority="staff cookie", body_max=8 * KIB,
    ),
    Route(
        name="transfers", path="/d/transfers", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="transfer", path="/d/transfers/{id}", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="transfer_file", path="/d/transfers/{id}/file", methods=POST, rate="staff",
        authority="staff cookie", body_max=8 * KIB,
    ),
    Route(
        name="mandates", path="/d/mandates", methods=("GET", "HEAD", "POST"), rate="staff",
        authority="staff cookie", body_max=8 * KIB,
    ),
    Route(
        name="mandate", path="/d/mandates/{id}", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="templates", path="/d/templates", methods=GET, rate="staff", authority="staff cookie",
    ),
    Route(
        name="template_new", path="/d/templates/new", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(
        name="template_write", path="/d/templates/write", methods=POST, rate="staff",
        authority="staff cookie", body_max=48 * KIB,
    ),
    Route(
        name="template", path="/d/templates/{id}", methods=GET, rate="staff",
        authority="staff cookie",
    ),
    Route(name="ladder", path="/d/ladder", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="ladder_write", path="/d/ladder/write", methods=POST, rate="staff",
        authority="staff cookie", body_max=16 * KIB,
    ),
    Route(name="cases", path="/d/cases", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="case", path="/d/cases/{id}", methods=GET, rate="staff", authority="staff cookie"),
    Route(name="keys", path="/d/keys", methods=GET, rate="staff", authority="staff cookie"),
    Route(
        name="do", path="/d/do/{mutation}", methods=POST, rate="staff",
        authority="staff cookie", body_max=64 * KIB,
    ),
    Route(
        name="events", path="/d/events", methods=("GET",), rate="stream",
        authority="staff cookie", answer_bps=64 * KIB, streams=True,
    ),
    Route(
        name="graphql", path="/graphql", methods=POST, rate="api",
        authority="API key or staff cookie", body_max=256 * KIB, answer_bps=2 * MIB,
    ),
    Route(
        name="pay_graphql", path="/pay/graphql", methods=POST, rate="page",
        authority="payer cookie", body_max=32 * KIB, answer_bps=256 * KIB,
    ),
    Route(
        name="upload", path="/uploads/{token}", methods=("PUT", "HEAD"), rate="upload",
        authority="upload token", body_max=2 * GIB, answer_bps=64 * KIB, stream_in=True,
    ),
    Route(
        name="result", path="/results/{token}", methods=("PUT",), rate="upload",
        authority="upload token", body_max=120 * MIB, answer_bps=64 * KIB, stream_in=True,
    ),
    Route(
        name="failed_debits", path="/failed-debits/{token}", methods=("PUT",), rate="upload",
        authority="upload token", body_max=120 * MIB, answer_bps=64 * KIB, stream_in=True,
    ),
    Route(
        name="result_file", path="/result-files/{number}", methods=GET, rate="api",
        authority="API key or staff cookie", answer_bps=8 * MIB,
    ),
    Route(
        name="link", path="/p/{code}/{secret}", methods=GET, rate="link",
        authority="link secret", answer_bps=128 * KIB,
    ),
    Route(
        name="page", path="/b/{ref}", methods=GET, rate="page", authority="payer cookie",
        answer_bps=128 * KIB,
    ),
    Route(
        name="pay", path="/b/{ref}/pay", methods=POST, rate="pay", authority="payer cookie",
        body_max=16 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="card", path="/b/{ref}/card", methods=POST, rate="pay", authority="payer cookie",
        body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="reminders", path="/b/{ref}/reminders", methods=POST, rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="remind", path="/b/{ref}/remind", methods=("GET", "HEAD", "POST"), rate="pay",
        authority="payer cookie", body_max=8 * KIB, answer_bps=128 * KIB,
    ),
    Route(name="remind_worker", path="/remind.js", methods=GET, rate="static", authority="none"),
    Route(
        name="paper", path="/b/{ref}/paper", methods=POST, rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="not_mine", path="/b/{ref}/not-mine", methods=POST, rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="debit", path="/b/{ref}/debit", methods=("GET", "HEAD", "POST"), rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="refund_account", path="/b/{ref}/refund-account", methods=("GET", "HEAD", "POST"),
        rate="pay", authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="number", path="/b/{ref}/number", methods=("GET", "HEAD", "POST"), rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="number_withdraw", path="/b/{ref}/number/withdraw", methods=POST, rate="pay",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="slip", path="/b/{ref}/slip", methods=GET, rate="pay", authority="payer cookie",
        answer_bps=128 * KIB,
    ),
    Route(
        name="slip_pdf", path="/b/{ref}/slip.pdf", methods=GET, rate="pay",
        authority="payer cookie", answer_bps=128 * KIB,
    ),
    Route(
        name="opened", path="/b/{ref}/opened", methods=POST, rate="page",
        authority="payer cookie", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="page_state", path="/b/{ref}/state", methods=GET, rate="page",
        authority="payer cookie", answer_bps=128 * KIB,
    ),
    Route(
        name="go", path="/go/{attempt}", methods=GET, rate="page", authority="payer cookie",
        answer_bps=128 * KIB,
    ),
    Route(
        name="return", path="/return/{code}/{token}", methods=(*GET, "POST"), rate="link",
        authority="return token", body_max=64 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="stop", path="/stop/{code}/{token}", methods=(*GET, "POST"), rate="link",
        authority="mail's token", body_max=4 * KIB, answer_bps=128 * KIB,
    ),
    Route(
        name="notice", path="/notices/{provider}/{code}", methods=POST, rate="notice",
        authority="provider's notice, only a hint", body_max=64 * KIB, answer_bps=64 * KIB,
    ),
    Route(
        name="message_notice", path="/notices/{provider}/{code}/{message}", methods=POST,
        rate="notice", authority="provider's notice, only a hint", body_max=64 * KIB,
        answer_bps=64 * KIB,
    ),
    Route(
        name="call", path="/calls/{provider}/{code}/{secret}", methods=POST, rate="notice",
        authority="secret of one call, signed", body_max=16 * KIB, answer_bps=64 * KIB,
    ),
    Route(
        name="call_turn", path="/calls/{provider}/{code}/{secret}/{turn}", methods=POST,
        rate="notice", authority="secret of one call, signed", body_max=16 * KIB,
        answer_bps=64 * KIB,
    ),
    Route(
        name="static", path="/static/{file}", methods=GET, rate="static", authority="none",
        answer_bps=4 * MIB,
    ),
    Route(name="icon", path="/favicon.ico", methods=GET, rate="static", authority="none"),
    Route(name="robots", path="/robots.txt", methods=GET, rate="static", authority="none"),
    Route(
        name="security", path="/.well-known/security.txt", methods=GET, rate="static",
        authority="none",
    ),
    Route(name="healthz", path="/healthz", methods=GET, rate="static", authority="none"),
)  # fmt: skip
"""Every public path. A new screen of the application is unreachable until it stands here."""
