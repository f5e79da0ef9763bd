"""Task families: each turns rows of the corpus into requests and answers, without any teacher."""
