"""The DMZ's whole nginx configuration, generated from the table of routes.

DMZ. Pure text: no file is read or written here. What an undeclared request meets is decided by
the table alone: another path gets 404, another method 405, a larger body 413, too many 429, and
none of them reaches the application. Raw addresses that are not already in their plain form
(percent signs, doubled slashes, dot segments) are refused before routes are looked at: nginx would
match the cleaned form but hand on the raw one, and the two zones would see different paths.

Nothing of a request is written to disk: bodies fit the buffers or stream through, answers are
never spooled, and the log names routes, not addresses, since addresses hold link secrets.
"""

import re
from typing import Final

from portal.dmz.refusals import EARLY, locations
from portal.dmz.routes import KIB, RATES, ROUTES, SEGMENTS, Rate, RateClass, Route
from portal.dmz.settings import DmzSettings

ACCESS_LOG: Final = "access.log"
PID_FILE: Final = "nginx.pid"
"""Names below the state folder."""

_LOG_FORMAT: Final = (
    '{"at":"$time_iso8601","process":"dmz","event":"request.answered","level":"info",'
    '"route":"$harai_route","path_template":"$harai_path","method":"$request_method",'
    '"status":$status,"bytes_in":$request_length,"bytes_out":$bytes_sent,'
    '"duration_s":$request_time,"correlation_id":"$request_id","address":"$remote_addr"}'
)

_HEADERS: Final = """\
proxy_set_header Host $http_host;
proxy_set_header X-Request-Id $request_id;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host "";
proxy_set_header Forwarded "";
proxy_set_header X-Real-IP "";
proxy_set_header Proxy "";
proxy_set_header Upgrade "";
proxy_set_header Connection "";
"""


_SPELLINGS: Final = f"""\
# 1: not in plain form, so nginx and the application might read it differently.
map $request_uri $harai_twisted {{
    default 1;
    "~^[^?]*//" 1;
    "~^[^?]*/\\.\\.?(/|\\?|$)" 1;
    "~^/[A-Za-z0-9._~/-]*(\\?[^#]*)?$" 0;
}}
# The page of an early refusal comes by here, too, with whatever spelling was refused.
map $uri $harai_refused {{
    default $harai_twisted;
    "~^{re.escape(EARLY)}" 0;
}}
"""


def configuration(settings: DmzSettings, *, as_root: bool = False) -> str:
    """The text of ``nginx.conf``. ``as_root``: keep workers root's (no separate uids there)."""
    state = settings.state_dir
    return "\n".join([
        "daemon off;",
        *(["user root root;"] if as_root else []),
        f"worker_processes {settings.workers};",
        "worker_shutdown_timeout 3s;",
        f"pid {state}/{PID_FILE};",
        "error_log stderr notice;",
        "events { worker_connections 2048; }",
        "http {",
        _indent(_http(settings)),
        "}",
        "",
    ])  # fmt: skip


def pattern(route: Route) -> str:
    """The route's path as an anchored regular expression that the raw path must match whole."""
    parts = re.split(r"\{(\w+)\}", route.path)
    return "".join(
        SEGMENTS[part] if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


def _http(settings: DmzSettings) -> str:
    state = settings.state_dir
    slow = settings.client_timeout_s
    temporary = "".join(
        f"{name}_temp_path {state}/spool;\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""\
# Request lines hold link secrets, and nginx writes them beside most request errors.
error_log stderr emerg;
log_format harai escape=json '{_LOG_FORMAT}';
access_log {state}/{ACCESS_LOG} harai;
server_tokens off;
default_type application/octet-stream;
{temporary}sendfile off;
tcp_nodelay on;

client_header_timeout {slow}s;
client_body_timeout {slow}s;
send_timeout {slow}s;
keepalive_timeout 30s;
keepalive_requests 1000;
reset_timedout_connection on;
client_header_buffer_size 2k;
large_client_header_buffers 4 8k;
client_max_body_size 1;
merge_slashes off;
absolute_redirect off;
ignore_invalid_headers on;
underscores_in_headers off;
limit_req_status 429;
limit_conn_status 429;
limit_conn_zone $binary_remote_addr zone=connections:4m;
{_zones(settings.rate_scale)}
{_SPELLINGS}
upstream web {{
    server unix:{settings.web_socket} max_fails=0;
    keepalive 64;
    keepalive_timeout 3s;
}}
proxy_http_version 1.1;
proxy_next_upstream off;
proxy_connect_timeout 3s;
proxy_read_timeout 60s;
proxy_send_timeout 60s;
proxy_buffer_size 16k;
proxy_buffers 32 16k;
proxy_busy_buffers_size 32k;
proxy_max_temp_file_size 0;
proxy_hide_header Server;
{_HEADERS}
{_servers(settings)}"""


def _zones(scale: int) -> str:
    """One zone per class; 4 MiB hold some 32,000 addresses."""
    return "".join(
        f"limit_req_zone $binary_remote_addr zone={name}:4m rate={_scaled(rate, scale)[0]}r/s;\n"
        for name, rate in RATES.items()
    )


def _scaled(rate: Rate, scale: int) -> tuple[int, int]:
    by = scale if rate.scaled else 1
    return rate.per_s * by, rate.burst * by


def _servers(settings: DmzSettings) -> str:
    tls = ""
    kind = ""
    if settings.tls_cert is not None:
        kind = " ssl"
        tls = (
            f"http2 on;\nssl_certificate {settings.tls_cert};\n"
            f"ssl_certificate_key {settings.tls_key};\nssl_protocols TLSv1.2 TLSv1.3;\n"
            "ssl_session_tickets off;\n"
            'add_header Strict-Transport-Security "max-age=63072000" always;\n'
        )
    unknown = (
        'set $harai_route unknown_host;\nset $harai_path -;\nset $harai_allow "";\n'
        "location / { return 421; }\n"
    )
    known = f"""\
set $harai_route undeclared;
set $harai_path -;
set $harai_allow "";
limit_conn connections {64 * settings.rate_scale};
if ($harai_refused) {{ return 404; }}
location / {{ return 404; }}
{"".join(_location(route, settings) for route in ROUTES)}"""
    return "".join(
        f"server {{\n{_indent(head + tls + locations() + body)}\n}}\n"
        for head, body in (
            (f"listen {settings.listen}{kind} default_server;\nserver_name _;\n", unknown),
            (f"listen {settings.listen}{kind};\nserver_name {settings.hosts};\n", known),
        )
    )


def _location(route: Route, settings: DmzSettings) -> str:
    exact = "{" not in route.path
    where = f"= {route.path}" if exact else f'~ "^{pattern(route)}$"'
    rate: RateClass = route.rate
    _, burst = _scaled(RATES[rate], settings.rate_scale)
    methods = "|".join(route.methods)
    lines = [
        f"set $harai_route {route.name};",
        f'set $harai_path "{route.path}";',
        f"if ($request_method !~ ^({methods})$) {{",
        f'    set $harai_allow "{", ".join(route.methods)}";',
        "    return 405;",
        "}",
        f"limit_req zone={rate} burst={burst} nodelay;",
        f"client_max_body_size {max(route.body_max, 1)};",
        "limit_rate_after 64k;",
        f"limit_rate {route.answer_bps};",
    ]
    if route.stream_in:
        lines += [
            "proxy_request_buffering off;",
            f"client_body_timeout {3 * settings.client_timeout_s}s;",
            "proxy_read_timeout 300s;",
            "proxy_send_timeout 300s;",
        ]
    else:
        lines += [
            "client_body_in_single_buffer on;",
            f"client_body_buffer_size {max(route.body_max, KIB)};",
        ]
    if route.streams:
        lines += ["proxy_buffering off;", "proxy_read_timeout 3600s;"]
    if route.rate == "static":
        lines += [
            "gzip on;", "gzip_proxied any;", "gzip_vary on;",
            "gzip_types text/css text/javascript application/javascript image/svg+xml text/plain;",
        ]  # fmt: skip
    lines.append("proxy_pass http://web;")
    return f"location {where} {{\n{_indent(chr(10).join(lines))}\n}}\n"


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.rstrip().splitlines())
