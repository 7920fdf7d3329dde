"""The command line's side: its client of the API, the server it finds, the one way to print. Loads no Django."""
