"""The command line's side: its client of the API, the server it finds, the one way to print; what a tool of MCP is. Loads no Django."""
