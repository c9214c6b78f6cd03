"""The embedded engine: answers in the service's own shape, computed on this machine."""
