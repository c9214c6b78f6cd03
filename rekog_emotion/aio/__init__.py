"""The verbs, performed in asyncio tasks."""
