"""Cohorts: groups of people with a name, for filters, breakdowns and flags."""
