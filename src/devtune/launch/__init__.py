"""Starting ranks: one resolved file in, a finished directory out."""
