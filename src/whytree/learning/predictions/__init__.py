"""What each of several people expects, blind until they have answered; scored once it was measured."""
