"""The panel as a page of its own, and the files that all its hosts load."""

import asyncio
import http.client
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from msgspec import Struct
from tornado import web

from jupyter_ra_jobs import bundles
from jupyter_ra_jobs.handlers.base import Handler, operation

_POLICY = (
    "default-src 'self'",
    "img-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='8' fill='%233b63c4'/%3E"
    "%3Cpath d='M9 10h9M9 16h14M9 22h6' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E"
)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Runs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
<meta name="theme-color" content="#fcfcfd" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#15171b" media="(prefers-color-scheme: dark)">
<link rel="icon" href="{icon}">
<link rel="manifest" href="{base_url}ra-jobs/app.webmanifest" crossorigin="use-credentials">
<script type="module" src="{script}"></script>
</head>
<body data-base-url="{base_url}"><noscript>This page needs JavaScript.</noscript></body>
</html>
"""


class PageHandler(Handler):
    """The panel for a browser, on any device."""

    @property
    def content_security_policy(self) -> str:
        """Nothing but what this server sends, and no script or style in the page itself."""
        return "; ".join([super(APIHandler, self).content_security_policy, *_POLICY])

    async def prepare(self) -> None:  # type: ignore[override]
        """A person who is not logged in is led to the login, and back; a program is refused as everywhere."""
        try:
            await super().prepare()
        except web.HTTPError as problem:
            is_person = "text/html" in self.request.headers.get("Accept", "")
            is_stranger = problem.status_code == http.client.FORBIDDEN and not self.current_user
            if not (is_person and is_stranger and self._checked_user) or "Origin" in self.request.headers:
                raise
            login = JupyterHandler.get_login_url(self)
            self.redirect(f"{login}{'&' if '?' in login else '?'}{urlencode({'next': self.request.path})}")

    @operation("The panel, as a page", action="read", answer=str, media_type="text/html")
    async def get(self) -> None:
        """HTML. What it shows, it asks the other routes for."""
        script = await asyncio.to_thread(bundles.entry, "page")
        _ = self.xsrf_token  # sets the cookie that the page's calls need
        self.set_header("Cache-Control", "no-cache")
        page = _PAGE.format(
            icon=escape(_ICON),
            script=escape(f"{self.base_url}ra-jobs/static/{script}"),
            base_url=escape(self.base_url),
        )
        self.finish(page, set_content_type="text/html; charset=utf-8")


class AppIcon(Struct, frozen=True, kw_only=True):
    """The one picture, of any size."""

    src: str = _ICON
    sizes: str = "any"
    type: str = "image/svg+xml"
    purpose: str = "any"


class AppManifest(Struct, frozen=True, kw_only=True):
    """The page as an app of its own, on a phone or a desktop: https://www.w3.org/TR/appmanifest/."""

    id: str
    name: str
    start_url: str
    scope: str
    short_name: str = "Runs"
    display: str = "standalone"
    background_color: str = "#fcfcfd"
    theme_color: str = "#fcfcfd"
    icons: list[AppIcon] = msgspec.field(default_factory=lambda: [AppIcon()])


class ManifestHandler(Handler):
    """What makes the page an app."""

    @operation(
        "The panel's web app manifest",
        action="read",
        answer=AppManifest,
        media_type="application/manifest+json",
    )
    async def get(self) -> None:
        """A browser asks for it with the page's cookie."""
        page = f"{self.base_url}ra-jobs/app"
        name = f"Runs in {self.services.layout.workdir.name or '/'}"
        manifest = AppManifest(id=page, name=name, start_url=page, scope=page)
        self.set_header("Cache-Control", "no-cache")
        self.finish(msgspec.json.encode(manifest), set_content_type="application/manifest+json")


class ModuleHandler(Handler):
    """The panel, for hosts in other pages: notebooks and JupyterLab."""

    @operation("The panel, as a module", action="read", answer=str, media_type="text/javascript")
    async def get(self) -> None:
        """Its name stays, and its content leads to the files of the newest build."""
        script = await asyncio.to_thread(bundles.entry, "panel")
        _ = self.xsrf_token  # sets the cookie that calls need, where no page of Jupyter's has done so
        self.set_header("Cache-Control", "no-cache")
        self.finish(f'export * from "./static/{script}";\n', set_content_type=bundles.TYPES[".js"])


class BundleHandler(Handler):
    """Scripts of the panel."""

    @operation(
        "A file of the panel",
        action="read",
        answer=str,
        errors=(404,),
        media_type="text/javascript",
        also=("text/plain",),
    )
    async def get(self, bundle: str) -> None:
        """A script's name holds a hash of its content, so that a browser may keep it for good."""
        content = await asyncio.to_thread(bundles.content, bundle)
        self.set_header("Content-Encoding", "gzip")
        kind = Path(bundle).suffix
        for_good = "private, max-age=31536000, immutable"
        self.set_header("Cache-Control", for_good if kind == ".js" else "no-cache")
        self.finish(content, set_content_type=bundles.TYPES[kind])
