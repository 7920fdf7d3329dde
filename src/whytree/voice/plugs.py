"""What the voices plug into the workspace's sockets."""


def plug() -> None:
    """Called once at start-up."""
