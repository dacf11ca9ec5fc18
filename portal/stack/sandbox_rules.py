"""What the embedded stack lets out: the rules for the sandbox's companies, all pinned to loopback.

Stack only; production signs rules of its own, and its relay refuses these.
"""

from typing import Final

import msgspec

from portal.egress.card_payment import CardPayment
from portal.egress.query import Parameter
from portal.egress.refund import RefundPlaces
from portal.egress.rule import Rule, Signer
from portal.kit.limits import DEBIT_FILE_BYTES_MAX
from portal.stack.counter_rules import counter_rules
from portal.stack.push_services import push_rules

_HOUR_BYTES: Final = 8 * 1024**3


TEL_ACCOUNT: Final = "AC0123456789abcdef0123456789abcdef"
"""What the sandbox's telephone company calls us."""


def sandbox_rules(api_port: int) -> tuple[Rule, ...]:
    """What may leave the embedded stack: messages and payments, to the sandbox on loopback only.

    The worker can neither word a message nor choose its addressee: both places are fixed to what
    the vault renders.
    """
    cards = tuple(
        Rule(
            id=f"sandbox-card-{kind}-{role}",
            role=role,
            host="card.sandbox.test",
            port=api_port,
            purpose=f"card payments at the sandbox's company: {kind}",
            bytes_up_per_hour=_HOUR_BYTES,
            methods=(method,),
            path_prefixes=(path,),
            credentials=("sandbox_card",),
            fixed={"header:authorization": "Bearer {{credential:sandbox_card}}"},
            fields=fields,
            concurrency_max=256,
            address="127.0.0.1",
            sandbox=True,
        )
        for kind, role, method, path, fields in (
            ("open", "web", "POST", "/v1/sessions", _SESSION_FIELDS),
            ("inquire", "web", "GET", "/v1/payments", ()),
            ("inquire", "work", "GET", "/v1/payments", ()),
            ("refund", "work", "POST", "/v1/refunds", _REFUND_FIELDS),
            ("ask-refund", "work", "GET", "/v1/refunds", ()),
        )
    )
    cards = tuple(_with_refund(rule, _CARD_REFUND) for rule in cards)
    charge, kept = _charge_rule(cards[0]), _kept_rule(cards[0])
    return (
        *_message_rules(api_port),
        *push_rules(api_port),
        *cards,
        charge,
        kept,
        *_wallet_rules(api_port),
        *counter_rules(api_port),
        *_bank_rules(api_port),
    )


def _message_rules(api_port: int) -> tuple[Rule, ...]:
    """Messages by each channel: the rule fixes where addressee and words stand, all the vault's."""
    sms = Rule(
        id="sandbox-sms",
        role="work",
        host="sms.sandbox.test",
        port=api_port,
        purpose="SMS through the sandbox's carriers",
        bytes_up_per_hour=_HOUR_BYTES,
        methods=("POST",),
        path_prefixes=("/v1/messages",),
        credentials=("sandbox_sms",),
        fixed={
            "header:authorization": "Bearer {{credential:sandbox_sms}}",
            "body:/to": "{{delivery:to}}",
            "body:/text": "{{delivery:body}}",
        },
        fields=("to", "from", "text", "reference", "account"),
        concurrency_max=256,
        address="127.0.0.1",
        sandbox=True,
    )
    mail = msgspec.structs.replace(
        sms,
        id="sandbox-mail",
        host="mail.sandbox.test",
        purpose="e-mail through the sandbox's mail company",
        path_prefixes=("/v1/mails",),
        credentials=("sandbox_mail",),
        fixed={
            "header:authorization": "Bearer {{credential:sandbox_mail}}",
            "body:/to": "{{delivery:to}}",
            "body:/subject": "{{delivery:subject}}",
            "body:/text": "{{delivery:body}}",
            "body:/html": "{{delivery:html}}",
        },
        fields=("to", "from", "subject", "text", "html", "reference", "account"),
    )
    return sms, _second_sms_rule(sms), mail, *_telephone_rules(sms)


def _telephone_rules(sms: Rule) -> tuple[Rule, ...]:
    """Calls and texts in Twilio's form: whom, what and where to ask for words the vault says."""
    authority = {"header:authorization": "Basic {{credential:sandbox_tel}}"}
    text = msgspec.structs.replace(
        sms,
        id="sandbox-tel-text",
        host="tel.sandbox.test",
        purpose="SMS through the sandbox's telephone company",
        path_prefixes=(f"/2010-04-01/Accounts/{TEL_ACCOUNT}/Messages.json",),
        credentials=("sandbox_tel",),
        fixed={
            **authority,
            "body:/To": "{{delivery:to}}",
            "body:/Body": "{{delivery:body}}",
            "body:/StatusCallback": "{{delivery:callback}}",
        },
        fields=("To", "From", "Body", "StatusCallback"),
    )
    call = msgspec.structs.replace(
        text,
        id="sandbox-tel-call",
        purpose="calls through the sandbox's telephone company",
        path_prefixes=(f"/2010-04-01/Accounts/{TEL_ACCOUNT}/Calls.json",),
        fixed={
            **authority,
            "body:/To": "{{delivery:to}}",
            "body:/Url": "{{delivery:callback}}",
            "body:/StatusCallback": "{{delivery:callback}}/status",
        },
        fields=("To", "From", "Url", "StatusCallback", "Timeout", "MachineDetection"),
    )
    return text, call


def _second_sms_rule(sms: Rule) -> Rule:
    """The same at the company that takes a repeated reference for another message."""
    return msgspec.structs.replace(
        sms,
        id="sandbox-sms2",
        host="sms2.sandbox.test",
        purpose="SMS through the sandbox's second company",
        credentials=("sandbox_sms2",),
        fixed={**sms.fixed, "header:authorization": "Bearer {{credential:sandbox_sms2}}"},
    )


def _with_refund(rule: Rule, places: RefundPlaces) -> Rule:
    """The rule by which money goes back, held to what the vault knows of the refund."""
    is_refund = rule.id.split("-")[2] == "refund"
    return msgspec.structs.replace(rule, refund=places) if is_refund else rule


def _charge_rule(card: Rule) -> Rule:
    """Charges of cards on file: which card, how much and under which reference the vault says."""
    return msgspec.structs.replace(
        card,
        id="sandbox-card-charge-work",
        role="work",
        purpose="charges of cards on file at the sandbox's company",
        path_prefixes=("/v1/charges",),
        fixed={
            **card.fixed,
            "body:/reference": "{{instrument:reference}}",
            "body:/amount": "{{instrument:amount}}",
            "body:/card": "{{instrument:token}}",
            "body:/customer": "{{instrument:customer}}",
        },
        fields=_CHARGE_FIELDS,
    )


def _kept_rule(card: Rule) -> Rule:
    """Payments by cards on file whose payer is there: the bank's page is the sandbox's own."""
    charge = _charge_rule(card)
    return msgspec.structs.replace(
        charge,
        id="sandbox-card-kept-web",
        role="web",
        purpose="payments by cards on file at the sandbox's company, with the payer there",
        path_prefixes=("/v1/card-payments",),
        fields=(*_CHARGE_FIELDS[:5], "return_url", "notice_account", "description"),
        card_payment=CardPayment(page="json:/url", hosts=("localhost",)),
    )


def _wallet_rules(api_port: int) -> tuple[Rule, ...]:
    """Wallet payments: each request is signed by the relay, and the caller never sees with what."""
    signer = Signer(name="opa", key="sandbox_wallet.key", secret="sandbox_wallet.secret")  # noqa: S106 - the name of one
    rules = tuple(
        Rule(
            id=f"sandbox-wallet-{kind}-{role}",
            role=role,
            host="wallet.sandbox.test",
            port=api_port,
            purpose=f"wallet payments at the sandbox's company: {kind}",
            bytes_up_per_hour=_HOUR_BYTES,
            methods=(method,),
            path_prefixes=(path,),
            signer=signer,
            fields=fields,
            query=query,
            concurrency_max=256,
            address="127.0.0.1",
            sandbox=True,
        )
        for kind, role, method, path, fields, query in (
            ("open", "web", "POST", "/v2/codes", _CODE_FIELDS, ()),
            ("inquire", "web", "GET", "/v2/codes/payments", (), ()),
            ("inquire", "work", "GET", "/v2/codes/payments", (), ()),
            ("take-back", "work", "DELETE", "/v2/codes", (), ()),
            ("refund", "work", "POST", "/v2/refunds", _WALLET_REFUND_FIELDS, ()),
            ("ask-refund", "work", "GET", "/v2/refunds", (), _OF_THE_PAYMENT),
        )
    )
    return tuple(_with_refund(rule, _WALLET_REFUND) for rule in rules)


FILES_AT_ONCE: Final = 2
"""Debit files that the relay holds and sends at once: a megabyte each, and a bank takes them one by
one anyway."""


def _bank_rules(api_port: int) -> tuple[Rule, ...]:
    """Files by the line: whose file it is and what it holds are the vault's to say.

    What ``/v1/debit-results`` gives goes to the vault: a worker would read accounts there.
    """
    ask = Rule(
        id="sandbox-bank-ask",
        role="work",
        host="bank.sandbox.test",
        port=api_port,
        purpose="whether the sandbox's bank has a file",
        bytes_up_per_hour=_HOUR_BYTES,
        methods=("GET",),
        path_prefixes=("/v1/debit-files", "/v1/transfer-files"),
        credentials=("sandbox_bank",),
        fixed={"header:authorization": "Bearer {{credential:sandbox_bank}}"},
        answer_bytes_max=4 * 1024,
        address="127.0.0.1",
        sandbox=True,
    )
    send = msgspec.structs.replace(
        ask,
        id="sandbox-bank-send",
        purpose="files of debits and of transfers to the sandbox's bank",
        methods=("POST",),
        fixed={
            **ask.fixed,
            "body:/collector": "{{delivery:collector}}",
            "body:/reference": "{{delivery:reference}}",
            "body:/file": "{{delivery:file}}",
        },
        fields=("reference", "collector", "file"),
        concurrency_max=FILES_AT_ONCE,
        timeout_s=45.0,
    )
    fetch = msgspec.structs.replace(
        ask,
        id="sandbox-bank-fetch",
        purpose="the answers of the sandbox's bank into the vault",
        path_prefixes=("/v1/debit-results",),
        answers_to="vault",
        answer_bytes_max=DEBIT_FILE_BYTES_MAX,
        timeout_s=60.0,
    )
    return send, ask, fetch, *_mandate_rules(ask)


def _mandate_rules(ask: Rule) -> tuple[Rule, ...]:
    """Mandates at the same bank: its page is opened for a payer, its word goes into the vault."""
    mandates = tuple(
        msgspec.structs.replace(
            ask,
            id=f"sandbox-bank-mandate-{role}",
            role=role,
            purpose="what became of a mandate at the sandbox's bank; its word goes into the vault",
            path_prefixes=("/v1/mandates",),
            deposit="mandate",
        )
        for role in ("web", "work")
    )
    begin = msgspec.structs.replace(
        ask,
        id="sandbox-bank-mandate-open",
        role="web",
        purpose="to open the sandbox's bank's page for a mandate",
        methods=("POST",),
        path_prefixes=("/v1/mandates",),
        fields=("reference", "collector", "bank", "branch", "returnUrl"),
    )
    return begin, *mandates


_CODE_FIELDS: Final = (
    "merchantPaymentId",
    "amount",
    "codeType",
    "orderDescription",
    "storeId",
    "isAuthorization",
    "redirectUrl",
    "redirectType",
    "requestedAt",
)


_SESSION_FIELDS: Final = (
    "reference",
    "amount",
    "currency",
    "return_url",
    "notice_account",
    "description",
    "customer",
)
_CHARGE_FIELDS: Final = (
    "reference",
    "amount",
    "currency",
    "card",
    "customer",
    "original_reference",
    "notice_account",
    "description",
)
_REFUND_FIELDS: Final = ("reference", "payment", "amount", "currency")
_WALLET_REFUND_FIELDS: Final = ("merchantRefundId", "paymentId", "amount", "requestedAt")
_CARD_REFUND: Final = RefundPlaces(
    reference="body:/reference", payment="body:/payment", amount="body:/amount"
)
_WALLET_REFUND: Final = RefundPlaces(
    reference="body:/merchantRefundId", payment="body:/paymentId", amount="body:/amount/amount"
)
_OF_THE_PAYMENT: Final = (
    Parameter(name="paymentId", shape="digits", length_min=16, length_max=64),
)
