"""How a file of billing requests is read: cut into chunks of rows, its header, a verdict per row.

Pure: no I/O and no clock. The vault feeds bytes and stores what comes out; docs/intake-format.md
tells merchants the same rules.
"""
