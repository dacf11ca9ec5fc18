"""Mails as mail servers send them back: delivery reports and complaints, in the RFCs' own forms."""

BOX = "bounce.minato.example"


def report(token: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    """A delivery report (RFC 3464) to the address that the mail came from."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.mail.example
To: bounce+{token}@{BOX}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

I'm sorry. <taro@mail.example>: 550 no such user
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mail.example
Arrival-Date: Sat, 28 Nov 2026 10:00:00 +0900

Final-Recipient: rfc822; taro@mail.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such user
--b1
Content-Type: message/rfc822

From: noreply@bill.minato.example
To: taro@mail.example
Subject: =?utf-8?b?6KuL5rGC?=

text
--b1--
""".replace("\n", "\r\n").encode()


def complaint(token: str, *, kind: str = "abuse", quoted: bool = True) -> bytes:
    """A complaint (RFC 5965); the token stands in the quoted mail alone, or where it came from."""
    mail_from = "" if quoted else f"Original-Mail-From: <bounce+{token}@{BOX}>\n"
    inner = f"X-Message-Token: {token}\n" if quoted else ""
    return f"""\
From: complaints@mail.example
To: abuse@{BOX}
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.
--b1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{mail_from}
--b1
Content-Type: text/rfc822-headers

From: noreply@bill.minato.example
{inner}To: taro@mail.example

--b1--
""".replace("\n", "\r\n").encode()
