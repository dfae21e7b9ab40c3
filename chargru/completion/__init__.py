"""Prompt → continuations, from any saved model."""
