"""Executors start sidecars somewhere, know which still live, and can end them."""
