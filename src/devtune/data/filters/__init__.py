"""What is left out, each rule named, with its threshold and its count."""
