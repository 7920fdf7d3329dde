"""Experiments that draw periods in place of people: when which arm is in force, and what each period came to."""
