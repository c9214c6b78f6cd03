"""What people look at: drawings of results."""
