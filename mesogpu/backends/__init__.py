"""What computes a block: one protocol, several engines."""
