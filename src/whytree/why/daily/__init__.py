"""Voices of people whom one's code touched: daily, and five lines on Monday."""
