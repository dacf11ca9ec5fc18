"""The sandbox's bank: debit files by a line. It has no payments, messages or notices."""

from portal.application.providers.sandbox_bank.line import LINE

__all__ = ["LINE"]
