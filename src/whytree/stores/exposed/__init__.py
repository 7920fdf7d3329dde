"""Who met a flag or a change, and what they did afterwards; or would have, in the past."""
