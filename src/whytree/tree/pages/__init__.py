"""The tree's pages: the tree itself, its nodes, the forms that change them, and Today."""
