"""What a kept change leaves behind: a standing check that its gain is still there."""
