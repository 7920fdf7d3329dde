"""Boards: kept questions side by side, with words between them, and a link for those who do not sign in."""
