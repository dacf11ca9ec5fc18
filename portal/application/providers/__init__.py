"""Companies that the portal works with: one folder each, and ``_template`` to copy for the next.

Application zone, lowest layer. An adapter composes requests and reads answers and notices; it does
no I/O and keeps no state. ``docs/adding-a-provider.md`` is the checklist.
"""
