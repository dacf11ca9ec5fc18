"""Stage "payment": money moves. Ordering of calls only; states change in the vault."""
