"""The sandbox's bank: debit files by a line, mandates at its page. No payments, no notices."""

from portal.application.providers.sandbox_bank.line import LINE
from portal.application.providers.sandbox_bank.mandate import MANDATES

__all__ = ["LINE", "MANDATES"]
