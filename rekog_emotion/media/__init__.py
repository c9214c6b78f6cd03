"""Bytes and pixels, which know no service."""
