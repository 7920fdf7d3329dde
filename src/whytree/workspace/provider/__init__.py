"""Signing in through an OpenID provider: `openid` speaks with it, `joining` says whose account that is."""
