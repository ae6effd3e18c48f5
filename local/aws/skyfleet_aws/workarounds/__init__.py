"""What moto 5.2.5 leaves out and this account needs, one function each; each says how to tell it is no longer needed."""
