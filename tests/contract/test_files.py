"""Files for runs, which are ours beyond the contract: uploaded by a page, named by a run."""

import hashlib

from tests.contract.rows import row
from tests.contract.ui import UI

CONTENT = "žluť".encode() * 1000
HASH = hashlib.sha256(CONTENT).hexdigest()


@row("GET /files/{sha256}", "PUT /files/{sha256}")
def test_file(ui: UI) -> None:
    """404 until it is there; then a run has it. What is no hash in lower case is no route."""
    ui.call("GET", f"/files/{HASH}").error(404)
    assert ui.call("PUT", f"/files/{HASH}", CONTENT).json == {"sha256": HASH, "size": len(CONTENT)}
    assert ui.get(f"/files/{HASH}", size=len(CONTENT)) == {"sha256": HASH, "size": len(CONTENT)}
    run = ui.finished('wc -c < "$RA_FILES_DIR/a b.txt"', files={"a b.txt": HASH})
    assert run["files"] == {"a b.txt": HASH}
    ui.call("PUT", f"/files/{HASH}", b"something else").error(400)
    ui.call("GET", f"/files/{HASH.upper()}").error(404)
