"""What people expect of a change: how a forecast is laid out, how it is scored, whether ranges hold, what earlier changes did."""
