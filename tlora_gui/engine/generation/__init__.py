"""Generation: text from the mixture, token by token."""
