"""Pages of accounts, products, members, keys and activity; one file a subject."""
