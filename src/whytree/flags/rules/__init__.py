"""A flag's rules: their shape, how people write them, their earlier states; and their doors."""
