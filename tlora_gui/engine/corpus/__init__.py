"""Files a person gives, as documents and as blocks of tokens."""
