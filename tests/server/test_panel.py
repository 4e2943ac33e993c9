"""The page and its files: who gets them, and what a browser may do with them."""

import gzip
import re
from http.cookies import SimpleCookie

from jupyter_ra_jobs import bundles
from tests.server.conftest import Answer, Api

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def page(api: Api, **headers: str) -> Answer:
    """As a browser asks for it."""
    return await api.call("GET", "/app", headers={**BROWSER, **headers})


async def test_page(api: Api) -> None:
    """Loads what there is, says where the server is, and holds no script or style of its own."""
    answer = await page(api, **api.login)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.body.decode()
    assert f'data-base-url="{api.prefix.removesuffix("ra-jobs")}"' in text
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""]
    assert not re.search(r"<style|\son\w+=|\sstyle=", text)
    (script,) = re.findall(r'<script type="module" src="[^"]*/ra-jobs(/static/[^"]+)">', text)
    assert (await api.get(script)).status == 200


async def test_policy(api: Api) -> None:
    """Nothing inline, nothing from elsewhere, in no frame of others; and the cookie for calls is set."""
    answer = await page(api, **api.login)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "'none'; default-src" not in policy
    cookies = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
    assert cookies["_xsrf"].value


async def test_stranger(api: Api) -> None:
    """A person is led to the login and back; a program is refused, and so is another origin's page."""
    answer = await page(api)
    assert answer.status == 302
    assert re.fullmatch(r".*/login\?next=.*%2Fra-jobs%2Fapp", answer.headers["Location"])
    (await api.call("GET", "/app", headers={})).error(403)
    (await page(api, Origin="https://other.example")).error(403)
    foreign = await page(api, Host="other.example:80")
    assert foreign.status == 403


async def test_manifest(api: Api) -> None:
    """A browser can install the page; it asks with the cookie, as a stranger is told nothing."""
    text = (await page(api, **api.login)).body.decode()
    (there,) = re.findall(
        r'<link rel="manifest" href="[^"]*/ra-jobs(/[^"]+)" crossorigin="use-credentials">', text
    )
    answer = await api.get(there)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/manifest+json")
    assert answer.json["start_url"] == answer.json["scope"] == f"{api.prefix}/app"
    assert answer.json["display"] == "standalone"
    (await api.call("GET", there, headers={})).error(403)


async def test_files(api: Api) -> None:
    """Compressed, kept by the browser for good, of the type that a module must have."""
    answer = await api.call("GET", f"/static/{bundles.entry('page')}", headers=api.login)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    original = (bundles.FOLDER / bundles.entry("page")).read_bytes()
    assert original in (answer.body, gzip.decompress(bundles.content(bundles.entry("page"))))
    licences = await api.call("GET", "/static/licences.txt", headers=api.login)  # so is the next one called
    assert (licences.status, licences.headers["Cache-Control"]) == (200, "no-cache")


async def test_module(api: Api) -> None:
    """Is asked for anew each time, and names a file that there is; strangers get nothing."""
    answer = await api.call("GET", "/panel.js", headers=api.login)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.body.decode() == f'export * from "./static/{bundles.entry("panel")}";\n'
    (await api.call("GET", "/panel.js", headers={})).error(403)


async def test_no_other_file(api: Api) -> None:
    """Only what the build wrote, by the names that it gave."""
    for name in ("manifest.json", "..", "%2e%2e%2fapp.py", "page.js", "x" * 101):
        (await api.get(f"/static/{name}")).error(404)
