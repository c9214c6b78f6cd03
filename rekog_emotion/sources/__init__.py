"""What callers pass, made into what a client takes."""
