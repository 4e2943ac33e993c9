"""What a run leaves behind, from the command to the download, over the life of a server."""

from tests.conftest import Server

SCRIPT = (
    "mkdir out; head -c 10000 /dev/urandom > out/model.safetensors; printf 'step,loss\\n1,0.5\\n' > loss.csv;"
    ' echo "all is well" > "$RA_ARTIFACTS_DIR/report.txt"'
)


def test_artifacts(server: Server) -> None:
    """A checkpoint, a table and a kept file are listed and served, by the next server too."""
    run_id = server.launch(SCRIPT)
    assert server.ended(run_id)["status"] == "finished"
    listed = server.get(f"/runs/{run_id}/artifacts").json
    assert {(each["name"], each["type"], each["certain"]) for each in listed} == {
        ("out/model.safetensors", "checkpoint", True),
        ("loss.csv", "metrics", True),
        ("report.txt", "other", True),
    }
    server.kill()
    server.start()
    assert server.get(f"/runs/{run_id}/artifacts").json == listed
    model = server.get(f"/runs/{run_id}/artifacts/out/model.safetensors")
    assert model.body == (server.world.workdir / "out" / "model.safetensors").read_bytes()
    assert server.get(f"/runs/{run_id}/artifacts/loss.csv").body == b"step,loss\n1,0.5\n"
    assert server.get(f"/runs/{run_id}/artifacts/report.txt").body == b"all is well\n"
