"""Bank debits (口座振替) in the banks' fixed records of 120 bytes: written, read, matched.

Pure: bytes in, bytes and verdicts out, at the same memory for ten lines and for a million. Which
bill is debited when, and what a result does to it, is decided elsewhere.

Source: the federation of banks' record layout (全銀協規定フォーマット) for debit requests, as banks
publish it (Miyazaki Bank, Hokkoku Bank); where they differ the difference is data (FileForm).
"""
