"""Definitions of PostHog and GrowthBook: questions, metrics and cohorts that a team has already."""
