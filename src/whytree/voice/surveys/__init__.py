"""Surveys: a few questions, shown by a link or in a page, whose answers are events and whose words are voices."""
