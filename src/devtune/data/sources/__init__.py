"""What is read: repositories, directories, packages, and what forges export."""
