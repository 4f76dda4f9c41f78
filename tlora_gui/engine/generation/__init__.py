"""Text from the mixture, token by token."""
