"""Segment's HTTP tracking API: every Segment and RudderStack client works unchanged."""
