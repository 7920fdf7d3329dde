"""From lines and commits to the five hops, where the tree is."""
