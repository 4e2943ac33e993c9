"""Python functions as runs, and files that runs are given, as a notebook has them."""
