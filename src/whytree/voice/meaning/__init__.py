"""Search by meaning: every voice's place in a space learnt from all of them, kept beside them and never in their stead."""
