"""The wording of messages: versions of templates, what is wrong with a text, what it comes to."""

from datetime import datetime
from typing import Literal

from portal.contract.envelope import Done, Nothing, Operation, Part, Reply, Request
from portal.domain.ids import BillId, TemplateId
from portal.domain.message import Channel
from portal.domain.sms import Encoding
from portal.domain.template import Occasion, TemplateChannel, TemplateLanguage
from portal.domain.template_finding import FindingCode, Severity, TemplatePart
from portal.domain.template_state import TemplateChoice, TemplateDecision, TemplateState


class TemplateFinding(Part, frozen=True, kw_only=True):
    """One thing that is wrong, from ``start`` to ``end`` of a part; both 0: with all of it."""

    code: FindingCode
    severity: Severity
    start: int
    end: int
    params: dict[str, str | int]
    part: TemplatePart = "body"


class TemplateSize(Part, frozen=True, kw_only=True):
    """What one message costs. Units: ``price`` in hundredths of a yen, None where none is set."""

    encoding: Encoding
    units: int
    segments: int
    price: int | None


class TemplateChecked(Reply, frozen=True, kw_only=True):
    """What was found, and how the text comes out.

    ``sample`` is the text of an ordinary bill of the merchant, ``longest`` the size of the longest.
    ``sender`` is the number or name that it comes from. ``is_fit``: it may be stored and approved.
    A mail has a subject and its HTML besides, a notification a title (``sample_subject``).
    """

    findings: tuple[TemplateFinding, ...]
    is_fit: bool
    sample: str
    sender: str
    size: TemplateSize
    longest: TemplateSize
    sample_subject: str = ""
    sample_html: str = ""


class TemplateVersion(Part, frozen=True, kw_only=True):
    """One version. ``choices`` are for the one who asks; moments are business times.

    ``number`` counts the versions of one channel, language and occasion; ``version`` counts the
    changes of this one and comes back with a change of it. ``told`` messages of the last 31 days
    were to have these words; ``unfit`` of them went out in the built-in ones.
    """

    id: TemplateId
    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    number: int
    state: TemplateState
    version: int
    body: str
    written_by: str
    written_at: datetime
    asked_by: str | None
    asked_at: datetime | None
    approve_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    choices: tuple[TemplateChoice, ...]
    subject: str = ""
    told: int = 0
    unfit: int = 0


class TemplateList(Reply, frozen=True, kw_only=True):
    """What is drafted, asked for and in force, at most 100, the newest first."""

    templates: tuple[TemplateVersion, ...]


class ViewTemplate(Request, frozen=True, kw_only=True):
    """One version. NotFound ``not_found``."""

    template_id: TemplateId


class TemplateRecord(Reply, frozen=True, kw_only=True):
    """A version, what is wrong with it now, and the latest others of its kind, at most 20."""

    template: TemplateVersion
    checked: TemplateChecked
    others: tuple[TemplateVersion, ...]


class CheckTemplate(Request, frozen=True, kw_only=True):
    """A text that is being written. InvalidInput ``text_too_long`` (param ``max``).

    ``subject`` is a mail's, or a notification's title; other channels have none.
    """

    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    body: str
    subject: str = ""


class PreviewTemplate(Request, frozen=True, kw_only=True):
    """A text with the merchant's latest bills of that language, ``first`` of them, 5 at most.

    Each counts as revealed. InvalidInput ``template_faulty``, ``page_size``, ``text_too_long``.
    """

    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    body: str
    first: int
    subject: str = ""


class PreviewText(Part, frozen=True, kw_only=True):
    """What one payer would read, but for the link, which leads nowhere.

    ``is_own`` is False where the text would not fit this bill and the built-in one is sent.
    """

    bill_id: BillId
    bill_number: str
    text: str
    segments: int
    is_own: bool
    subject: str = ""
    html: str = ""


class TemplatePreview(Reply, frozen=True, kw_only=True):
    """The texts, those of the newest bills first."""

    texts: tuple[PreviewText, ...]


class TryTemplate(Request, frozen=True, kw_only=True):
    """Send a text, as an ordinary bill fills it and marked as a test, to one of the staff.

    To ``phone``, or a mail to ``email``; a call says it there and hangs up. InvalidInput
    ``template_faulty``, ``text_too_long`` or what is wrong with the contact; Conflict
    ``trial_to_payer`` for that of one of the merchant's payers, ``trial_impossible`` for a channel
    that reaches no staff or that the merchant has not, ``call_at_night``, ``idempotency_mismatch``;
    LimitReached ``trials_a_day``, ``trials_to_one`` (param ``max``).
    """

    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    body: str
    phone: str = ""
    idempotency_key: str
    subject: str = ""
    email: str = ""


class SaveTemplate(Request, frozen=True, kw_only=True):
    """A new draft, or, with ``template_id`` and its ``version``, a draft's new text.

    InvalidInput ``template_faulty`` (params ``field``, ``errors``), ``text_too_long``,
    ``card_number_refused``; Conflict ``template_state``, ``template_changed``,
    ``idempotency_mismatch``; LimitReached ``template_drafts`` (param ``max``); NotFound.
    """

    template_id: TemplateId | None
    version: int
    channel: TemplateChannel
    language: TemplateLanguage
    occasion: Occasion
    body: str
    idempotency_key: str
    subject: str = ""


class AskTemplate(Request, frozen=True, kw_only=True):
    """Ask for a draft's approval, as it was seen: by its ``version``.

    Conflict ``template_state``, ``template_changed``; InvalidInput ``template_faulty``.
    """

    template_id: TemplateId
    version: int
    idempotency_key: str


class DecideTemplate(Request, frozen=True, kw_only=True):
    """Approve, refuse or take back what was asked for, or retire what is in force.

    Approving and retiring take ``totp``, a code not used before. NotAllowed ``not_allowed``,
    ``approver_is_asker``, ``totp_refused``; LimitReached ``login_locked``; Expired
    ``approval_expired``; InvalidInput ``template_faulty``; Conflict ``template_state``.
    """

    template_id: TemplateId
    decision: TemplateDecision
    idempotency_key: str
    totp: str = ""


class TemplateChanged(Reply, frozen=True, kw_only=True):
    """The version as it is now."""

    template: TemplateVersion


class SetMessagePrices(Request, frozen=True, kw_only=True):
    """What a company takes from a merchant for a message of 1, 2, 3 … parts, 10 at most.

    Only an SMS has parts; a mail, a notification, a letter and a call that is answered have one
    price. Units: hundredths of a yen. None: nothing is known any more. Refused: ``message_prices``
    (param ``max``), ``merchant_unknown``.
    """

    merchant_code: str
    channel: Channel | Literal["paper"]
    provider: str
    prices: tuple[int, ...]


class MessagePricesSet(Reply, frozen=True, kw_only=True):
    """What holds from now on."""

    prices: tuple[int, ...]


LIST_TEMPLATES = Operation("list_templates", Nothing, TemplateList)
VIEW_TEMPLATE = Operation("view_template", ViewTemplate, TemplateRecord)
CHECK_TEMPLATE = Operation("check_template", CheckTemplate, TemplateChecked)
PREVIEW_TEMPLATE = Operation("preview_template", PreviewTemplate, TemplatePreview)
TRY_TEMPLATE = Operation("try_template", TryTemplate, Done)
SAVE_TEMPLATE = Operation("save_template", SaveTemplate, TemplateChanged)
ASK_TEMPLATE = Operation("ask_template", AskTemplate, TemplateChanged)
DECIDE_TEMPLATE = Operation("decide_template", DecideTemplate, TemplateChanged)
SET_MESSAGE_PRICES = Operation("set_message_prices", SetMessagePrices, MessagePricesSet)
