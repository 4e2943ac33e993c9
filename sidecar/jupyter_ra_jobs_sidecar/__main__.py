"""`python -I -S <this folder> RUN_DIR`: supervise the run whose spec.json lies in RUN_DIR.

With `--pipe` before RUN_DIR: be the end of tmux's pipe-pane for that run instead.
"""

import os
import signal
import sys

if __name__ == "__main__":
    # tmux may die while we begin; until we listen, the loss of the window shows in the window itself.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # -I and -S leave the package's own parent off the path. Appended, so that nothing there can shadow
    # the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    if sys.argv[1] == "--pipe":
        from jupyter_ra_jobs_sidecar.capture import pipe

        pipe(sys.argv[2])
    else:
        from jupyter_ra_jobs_sidecar.supervise import main

        sys.exit(main(sys.argv[1]))
