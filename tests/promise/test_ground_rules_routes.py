"""What the DMZ lets through and what the application serves are the same list."""

from starlette.routing import Route as AppRoute

from portal.application.doors.server import ROUTES as SERVED
from portal.dmz.routes import RATES, SEGMENTS
from portal.dmz.routes import ROUTES as DECLARED


def methods_by_path() -> dict[str, set[str]]:
    served: dict[str, set[str]] = {}
    for route in SERVED:
        assert isinstance(route, AppRoute), f"not a plain route: {route}"
        served.setdefault(route.path, set()).update(route.methods or ())
    return served


def test_every_route_of_the_application_is_declared_to_the_outside_and_no_other() -> None:
    declared = {
        # Starlette answers HEAD wherever it answers GET; the DMZ may keep that out.
        route.path: set(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
        for route in DECLARED
    }

    assert declared == methods_by_path()


def test_names_and_paths_are_declared_once() -> None:
    assert len({route.name for route in DECLARED}) == len(DECLARED)
    assert len({route.path for route in DECLARED}) == len(DECLARED)


def test_no_parameter_can_climb_or_hide_a_slash() -> None:
    for name, segment in SEGMENTS.items():
        assert "/" not in segment, name
        assert "%" not in segment, name
        assert not segment.startswith("."), name


def test_whoever_may_send_a_body_has_a_limit_and_who_may_not_has_none() -> None:
    for route in DECLARED:
        sends = bool({"POST", "PUT"} & set(route.methods))
        assert sends == (route.body_max > 0), route.name
        assert route.rate in RATES


def test_payer_routes_answer_at_the_narrowest_bandwidth() -> None:
    narrow = [route for route in DECLARED if route.path.startswith(("/p/", "/b/", "/return/"))]

    assert narrow
    assert all(route.answer_bps <= 128 * 1024 for route in narrow)
