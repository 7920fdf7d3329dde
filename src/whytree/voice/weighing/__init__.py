"""What weighs how much: opportunities by votes, people, revenue and measured prevalence, side by side."""
