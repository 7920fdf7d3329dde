"""The public board: what people ask for, where others say so too, and where they hear back. Off until a team opens it."""
