"""What a company says of a payment, read by one code for whoever has to know.

Pure. The relay puts a company's answer to an inquiry into the vault past everybody else, with what
was asked; the vault reads it here and believes nobody's retelling of it. Adapters read by the same
code, to know what to ask next. A module a company's interface, a line in ``readers`` a company.
"""
