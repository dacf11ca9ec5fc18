"""The addresses of the staff's screens and forms. Zone: application."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.application.doors import print_file, results
from portal.application.doors.answers import staff_answer
from portal.application.doors.context import language_of
from portal.application.doors.dashboard import (
    acts,
    cases,
    contacts,
    debits,
    faults,
    funnel,
    ladder,
    mandates,
    own_debits,
    refunds,
    result_files,
    screens,
    slips,
    templates,
    transfers,
)
from portal.application.doors.errors import Trouble


def staff_trouble(request: Request, trouble: Trouble) -> Response:
    """An error on a screen of the staff: what it is, what to do, and the request's id."""
    return staff_answer(
        request,
        "dashboard/trouble.html",
        language_of(request),
        {"text": trouble.text, "remedy": trouble.remedy, "request_id": trouble.request_id},
        status=trouble.status,
    )


ROUTES: Final = (
    Route("/login", screens.show_login, methods=["GET"]),
    Route("/d", screens.show_home, methods=["GET"]),
    Route("/d/imports", screens.show_imports, methods=["GET"]),
    Route("/d/imports/new", screens.show_import_new, methods=["GET"]),
    Route("/d/imports/paste", acts.paste_import, methods=["POST"]),
    Route("/d/imports/{id}", screens.show_import, methods=["GET"]),
    Route("/d/imports/{id}/faults.csv", faults.download_faults, methods=["GET"]),
    Route("/d/bills", screens.show_bills, methods=["GET"]),
    Route("/d/bills", screens.find_bills, methods=["POST"]),
    Route("/d/bills/{id}", screens.show_bill, methods=["GET"]),
    Route("/d/refunds", refunds.show_refunds, methods=["GET"]),
    Route("/d/unopened", funnel.show_unopened, methods=["GET"]),
    Route("/d/results", result_files.show_result_files, methods=["GET"]),
    Route("/d/slips", slips.show_slips, methods=["GET"]),
    Route("/d/slips", slips.take_slips, methods=["POST"]),
    Route("/d/slips/print/{id}", print_file.take_out_batch, methods=["POST"]),
    Route("/d/paper", contacts.show_paper, methods=["GET"]),
    Route("/d/contacts", contacts.show_contacts, methods=["GET"]),
    Route("/d/contacts.csv", contacts.download_contacts, methods=["GET"]),
    Route("/d/debits", debits.show_debits, methods=["GET"]),
    Route("/d/debits/own", own_debits.show_own, methods=["GET"]),
    Route("/d/debits/own", own_debits.take_failed, methods=["POST"]),
    Route("/d/debits/own/{id}", own_debits.show_file, methods=["GET"]),
    Route("/d/debits/{id}/file", results.take_out, methods=["POST"]),
    Route("/d/transfers", transfers.show_transfers, methods=["GET"]),
    Route("/d/transfers/{id}", transfers.show_transfer, methods=["GET"]),
    Route("/d/transfers/{id}/file", results.take_out_transfers, methods=["POST"]),
    Route("/d/mandates", mandates.show_mandates, methods=["GET"]),
    Route("/d/mandates", mandates.find_mandates, methods=["POST"]),
    Route("/d/mandates/{id}", mandates.show_mandate, methods=["GET"]),
    Route("/d/templates", templates.show_templates, methods=["GET"]),
    Route("/d/templates/new", templates.show_template_new, methods=["GET"]),
    Route("/d/templates/write", templates.write_template, methods=["POST"]),
    Route("/d/templates/{id}", templates.show_template, methods=["GET"]),
    Route("/d/ladder", ladder.show_ladder, methods=["GET"]),
    Route("/d/ladder/write", ladder.write_ladder, methods=["POST"]),
    Route("/d/cases", cases.show_cases, methods=["GET"]),
    Route("/d/cases/{id}", cases.show_case, methods=["GET"]),
    Route("/d/keys", screens.show_keys, methods=["GET"]),
    Route("/d/do/{mutation}", acts.run_act, methods=["POST"]),
)
