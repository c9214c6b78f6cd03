"""The verbs, performed in threads."""
