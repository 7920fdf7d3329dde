"""What the tree plugs into the workspace's sockets."""


def plug() -> None:
    """Called once at start-up."""
