"""The data API as types: one request and reply pair per operation, the envelope and the client.

Only the application, the vault, the egress' deliveries and the stack may import this package.
"""
