"""The panel or a card as a widget: for ipywidgets' layouts, and front ends without our extension."""

from typing import Any

import anywidget
import traitlets

from jupyter_ra_jobs import bundles
from jupyter_ra_jobs.cells import live
from jupyter_ra_jobs.client import Client
from jupyter_ra_jobs_widget.relay import Relay

_NOTHING = "<p>The panel of jupyter_ra_jobs is here while its server runs.</p>"


class Panel(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
    """Shows what `live` tells of; `ra.panel()` makes one.

    What it needs is in its state, and so in the notebook where widgets' states are saved. It asks the server;
    where that can't be reached from the page, it asks the kernel to ask.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _told = traitlets.Dict().tag(sync=True)
    """As in our own MIME type."""
    _snapshot = traitlets.Unicode().tag(sync=True)
    """HTML that is shown as long as nothing is live."""
    _base = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    """Jupyter's address, of which the path counts; None where the page's server is not the kernel's."""

    def __init__(self, told: dict[str, Any], client: Client, snapshot: str = "") -> None:
        is_pages = live.is_pages_server(client)
        base = client.address.url.removesuffix("ra-jobs") if is_pages else None
        super().__init__(_esm=bundles.text("widget"), _told=told, _snapshot=snapshot, _base=base)
        self._is_pages = is_pages
        self._relay = Relay(client, self.send)
        self.on_msg(lambda _widget, content, _buffers: self._relay.take(content))

    def __repr__(self) -> str:
        address = self._told.get("address")
        return f"Panel({address!r})" if address else "Panel()"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ours too, where the page's server has our extension: it needs no model, and so no kernel."""
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        ours = {live.MIME: self._told} if self._is_pages else {}
        return {"text/html": self._snapshot or _NOTHING, **data, **ours}, metadata
