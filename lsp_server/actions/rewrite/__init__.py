"""Code rewritten by an instruct model: what it is asked, how its answers are read, and which are taken."""
