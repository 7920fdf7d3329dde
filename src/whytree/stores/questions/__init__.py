"""Questions of product analytics, each answered by SQL of its own."""
