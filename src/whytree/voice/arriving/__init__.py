"""Ways in for somebody's own words: the page's box, a mailbox, drafts checked before anything is stored."""
