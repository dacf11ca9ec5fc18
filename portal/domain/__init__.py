"""The nouns of the business as pure values and functions: no I/O, no clock, no randomness."""
