"""What a commit, a branch or a message names: the ticket it is for (`tickets`), and the node of the tree it belongs to (`rules`)."""
