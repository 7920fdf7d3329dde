"""What leaves the house and what files come in: mail, webhooks, calls to typed addresses, uploads."""
