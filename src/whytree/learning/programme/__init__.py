"""What all changes together came to: how many helped, by how much, how fast one learns."""
