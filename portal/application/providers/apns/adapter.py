"""apns: the relay speaks the service's form; what is read is the relay's word."""

from portal.application.providers.push_word import ADAPTER, NOTICES

__all__ = ["ADAPTER", "NOTICES"]
