"""`python -m jupyter_ra_jobs`: the same as `jupyter ra-jobs`."""

from jupyter_ra_jobs.cli import main

if __name__ == "__main__":
    main()
