"""Pieces of SQL that questions are made of: which events, which people and companies, at what moment, in which stretch."""
