"""Talks with people: their transcripts, what was marked in them, and what was learnt."""
