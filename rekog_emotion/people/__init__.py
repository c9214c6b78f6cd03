"""Who is who over time, in arrays."""
