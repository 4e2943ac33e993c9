"""Stores of released versions, opened by the present one."""
