"""The graphql package."""
