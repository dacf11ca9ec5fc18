"""Stage "message": the payer is told. Ordering of calls only; states change in the vault."""
