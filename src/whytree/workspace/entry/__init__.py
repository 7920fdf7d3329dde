"""Coming in: sign-in and its brakes, keys and their environments, addresses that need neither, the check at every door."""
