"""Rows, pictures and small models for tests; what framework processes need imports no Django."""
