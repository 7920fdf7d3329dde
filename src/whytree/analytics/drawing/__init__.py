"""Answers as charts, and what happened meanwhile as marks on them."""
