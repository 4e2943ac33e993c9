"""The routes. Handlers hold no logic: they hand the request to whom it concerns, and the answer back."""

from typing import Any

from jupyter_ra_jobs.handlers import (
    alerts,
    artifacts,
    cluster,
    events,
    files,
    logs,
    metrics,
    panel,
    runs,
    server,
    status,
    sweeps,
    terminals,
)
from jupyter_ra_jobs.handlers.base import Handler, Unknown

_SWEEP = r"/sweeps/(?P<sweep_id>[A-Za-z0-9_-]{1,64})"
_ALERT = r"/alerts/(?P<alert_id>[A-Za-z0-9_-]{1,64})"
_RUN = r"/runs/(?P<run_id>[A-Za-z0-9_-]{1,64})"

_BUNDLE = r"/static/(?P<bundle>[A-Za-z0-9._-]{1,100})"
_FILE = r"/files/(?P<sha256>[0-9a-f]{64})"

ROUTES: list[tuple[str, type[Handler], dict[str, Any]]] = [
    (r"/", server.HealthHandler, {}),
    (r"/sessions", server.SessionsHandler, {}),
    (r"/events", events.EventsHandler, {}),
    (r"/openapi.json", server.OpenApiHandler, {}),
    (r"/app", panel.PageHandler, {}),
    (r"/app.webmanifest", panel.ManifestHandler, {}),
    (r"/panel.js", panel.ModuleHandler, {}),
    (_BUNDLE, panel.BundleHandler, {}),
    (r"/runs", runs.RunsHandler, {}),
    (_RUN, runs.RunHandler, {}),
    (_RUN + r"/queue", runs.QueueHandler, {}),
    (_RUN + r"/start", runs.StartHandler, {}),
    (_RUN + r"/stop", runs.StopHandler, {}),
    (_RUN + r"/rerun", runs.RerunHandler, {}),
    (_RUN + r"/archive", runs.ArchiveHandler, {}),
    (_RUN + r"/unarchive", runs.UnarchiveHandler, {}),
    (_RUN + r"/status", status.StatusHandler, {}),
    (_RUN + r"/terminal", terminals.TerminalHandler, {}),
    (_RUN + r"/add-to-sweep", sweeps.AddToSweepHandler, {}),
    (_RUN + r"/logs", logs.LogPageHandler, {"which": "log"}),
    (_RUN + r"/logs/stream", logs.LogStreamHandler, {"which": "log"}),
    (_RUN + r"/logs/download", logs.LogDownloadHandler, {"which": "log"}),
    (_RUN + r"/logs/search", logs.LogSearchHandler, {"which": "log"}),
    (_RUN + r"/sidecar-logs", logs.LogPageHandler, {"which": "sidecar_log"}),
    (_RUN + r"/sidecar-logs/stream", logs.LogStreamHandler, {"which": "sidecar_log"}),
    (_RUN + r"/artifacts", artifacts.ArtifactsHandler, {}),
    (_RUN + r"/artifacts/(?P<name>.+)", artifacts.ArtifactHandler, {}),
    (_RUN + r"/alerts", alerts.RunAlertsHandler, {}),
    (r"/alerts", alerts.AlertsHandler, {}),
    (_ALERT + r"/respond", alerts.AlertRespondHandler, {}),
    (r"/cluster", cluster.ClusterHandler, {}),
    (r"/cluster/detect", cluster.ClusterDetectHandler, {}),
    (_RUN + r"/metrics", metrics.MetricsHandler, {}),
    (_FILE, files.FileHandler, {}),
    (r"/sweeps", sweeps.SweepsHandler, {}),
    (r"/sweeps/wild", sweeps.WildSweepHandler, {}),
    (_SWEEP, sweeps.SweepHandler, {}),
    (_SWEEP + r"/start", sweeps.SweepStartHandler, {}),
    (_SWEEP + r"/stop", sweeps.SweepStopHandler, {}),
    (_SWEEP + r"/retry", sweeps.SweepRetryHandler, {}),
    (_SWEEP + r"/runs", sweeps.SweepRunsHandler, {}),
    (_SWEEP + r"/table", sweeps.SweepTableHandler, {}),
]


def all_routes(prefix: str) -> list[tuple[str, type[Handler], dict[str, Any]]]:
    """Every route below `prefix`, the refusal of all others included, as the web application takes them."""
    served = [(prefix + pattern, handler, options) for pattern, handler, options in ROUTES]
    return [(prefix, server.HealthHandler, {}), *served, (prefix + r"/.*", Unknown, {})]
