"""What must not be learned: secrets and personal data, found in texts and replaced."""
