"""Python from cells: what `import jupyter_ra_jobs as ra` offers."""
