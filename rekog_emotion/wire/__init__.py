"""The service's JSON, which knows no value."""
