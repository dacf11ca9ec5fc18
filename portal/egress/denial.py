"""Why the relay refuses: one exception and the list of its codes.

Zone: egress; pure. The codes are stable: they are in answers (:class:`OutboundAnswer`), in the
reason phrase of a tunnel's 403, in the journal and in ``docs/egress.md``.
"""

from typing import Final

CODES: Final = {
    # Who, where to, what.
    "caller_unknown": "The uid at the other end of the socket has no role.",
    "host_invalid": "Not a strict ASCII host name; an address in any spelling is none.",
    "port_invalid": "Not a port from 1 to 65535 in plain digits.",
    "host_not_listed": "No rule for this role, host and port.",
    "rule_expired": "There is a rule, but it is not in force yet or any more.",
    "method_not_allowed": "The rule for this path does not list the method.",
    "path_invalid": "Not an absolute, plain path without dot segments and hidden escapes.",
    "path_not_allowed": "No rule's path prefix covers it.",
    "query_not_as_ruled": "The rule lists the query's parameters, and something else stands there.",
    "header_not_allowed": "A request header that neither all rules nor this one allow.",
    "header_invalid": "A header that could end its line, or the same one twice.",
    "timeout_invalid": "Not a positive number of seconds.",
    "quota_spent": "The rule's bytes for this hour are used up.",
    "relay_away": "The relay is about to stop, or was not there: the next one will take it.",
    "relay_busy": "No free place within the request's own time.",
    # Templates.
    "body_invalid": "The body is not what body_kind says, or the content type contradicts it.",
    "field_not_allowed": "A field of the body that the rule does not list.",
    "place_not_as_fixed": "The rule fixes what stands there, and something else does.",
    "placeholder_unknown": "A {{ that opens no known placeholder.",
    "placeholder_misplaced": "A placeholder where none may be: a key, a path, a raw body; or a "
    "delivery's that the rule fixes to another place.",
    "credential_not_allowed": "The rule does not list the credential, or not for this place.",
    "signer_not_as_ruled": "The request asks for another signer than the rule's, or for none.",
    "sender_not_as_ruled": "The merchant's mail address is of no domain that the rule lists.",
    "push_host_not_listed": "A browser's address at no push service that the rule lists.",
    "push_app_not_listed": "A device of an app that the rule does not list.",
    "push_app_refused": "A merchant's own app, whose credential is missing here or refused there.",
    "access_refused": "The company that gives access to its push service gave none.",
    "access_away": "The company that gives access to its push service can't be asked just now.",
    "submission_invalid": "A mail's request that says more than its delivery.",
    "credential_missing": "The rule lists it, and the relay has no value for it.",
    "delivery_missing": "A delivery's placeholder without a delivery_id.",
    "delivery_unused": "A delivery_id without any of its placeholders.",
    "delivery_repeated": "The same delivery_id twice in one slice.",
    "delivery_refused": "The vault gives no value for this delivery and host.",
    "budget_spent": "The vault gives the relay no more rows in this minute; nothing was redeemed.",
    "order_unknown": "No order was registered for this charge just now, by this relay.",
    "page_not_listed": "The page that a payer would be led to is at no host that the rule lists.",
    "deposit_missing": "The rule puts answers into the vault; the request lacks an id.",
    "deposit_unused": "A deposit_id where the rule puts nothing into the vault.",
    "deposit_refused": "The vault takes no such word from this host under this id.",
    "vault_away": "The vault can't be asked at the moment.",
    "value_unfit": "A value that can't stand in a header, or be written in the rule's charset.",
    # The way there.
    "name_not_public": "The name resolves to an address that is not plainly public.",
    "dns_failed": "The name does not resolve, or not in time.",
    "connect_failed": "No connection to any of the name's addresses.",
    "tls_failed": "No TLS, or a certificate that does not verify.",
    "timed_out": "The request's time ran out.",
    "dropped": "The connection broke before the answer was complete.",
    "too_large": "The answer is larger than the rule takes.",
    "answer_encoded": "The answer is compressed although identity was asked for.",
    "answer_invalid": "The answer is not HTTP.",
    "protocol_missing": "The host does not speak the protocol that the rule names.",
    "going_away": "The host is about to close the connection and did not look at the request.",
    "stream_refused": "The host refused the request before it looked at it (HTTP/2).",
    # A tunnel's own grammar.
    "head_too_long": "More than 8 KB before the end of the head.",
    "head_timed_out": "The head was not complete within its deadline.",
    "head_invalid": "Not a CONNECT head in the strict grammar.",
    "method_not_connect": "Any method but CONNECT.",
    "data_before_answer": "Bytes after the head before it was answered.",
    "host_differs": "The Host header says another host than the target.",
    "hello_timed_out": "No complete ClientHello within its deadline.",
    "hello_invalid": "Not a well-formed ClientHello of bearable length.",
    "hello_encrypted": "Encrypted Client Hello: the outer name proves nothing.",
    "tls_too_old": "The client offers no TLS from 1.2 on.",
    "sni_missing": "The ClientHello names no host.",
    "sni_mismatch": "The ClientHello names another host than CONNECT did.",
    "rule_withdrawn": "The rule ended while the tunnel was open.",
}
"""Code → what it means."""


class Denied(Exception):
    """The request does not leave; nothing of it has."""

    def __init__(self, code: str, *, is_attempt: bool = True) -> None:
        """``code`` is one of CODES; ``is_attempt``: whether it belongs into the journal."""
        super().__init__(code)
        self.code = code
        self.is_attempt = is_attempt
