"""What comes back of mails sent by SES: reports and complaints, forwarded as mails.

Application zone; pure. SES forwards them to the address that each mail names for it, which holds
the mail's token; the mail server of the bounce domain posts them on as those of any other server.
Source: Amazon SES, "Receiving Amazon SES notifications through email".
"""

from typing import Final

from portal.application.providers.smtp.returned import ReturnedMail

NOTICES: Final = ReturnedMail()
