"""Guarded rollouts: a change brought to more and more people while guardrails are watched."""
