"""Who is who: ids and their merges, one person's timeline, and how a person is erased."""
