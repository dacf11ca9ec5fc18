"""The merchant schema: staff by cookie, a merchant's systems by key. Served at ``/graphql``.

Zone: application. Each stage has its file; here they are put together.
"""

from typing import Final

import strawberry

from portal.application.doors.graphql.bill_acts import BillsMutation
from portal.application.doors.graphql.billings import BillingsMutation, BillingsQuery
from portal.application.doors.graphql.bills import BillsQuery
from portal.application.doors.graphql.card_acts import CardActsMutation
from portal.application.doors.graphql.cases import CasesMutation, CasesQuery
from portal.application.doors.graphql.contacts import ContactsMutation, ContactsQuery
from portal.application.doors.graphql.debits import DebitsMutation, DebitsQuery
from portal.application.doors.graphql.failed_debits import FailedDebitsMutation
from portal.application.doors.graphql.failed_files import FailedFilesQuery
from portal.application.doors.graphql.failures import USER_ERRORS
from portal.application.doors.graphql.funnel import FunnelMutation, FunnelQuery
from portal.application.doors.graphql.intake import IntakeMutation, IntakeQuery
from portal.application.doors.graphql.ladder_plans import (
    LadderPlansMutation,
    LadderPlansQuery,
)
from portal.application.doors.graphql.login import LoginMutation, LoginQuery
from portal.application.doors.graphql.mandates import MandatesMutation, MandatesQuery
from portal.application.doors.graphql.message_prices import (
    MessagePricesMutation,
    MessagePricesQuery,
)
from portal.application.doors.graphql.pause_acts import PausesMutation
from portal.application.doors.graphql.print_batches import (
    PrintBatchesMutation,
    PrintBatchesQuery,
)
from portal.application.doors.graphql.push import PushMutation, PushQuery
from portal.application.doors.graphql.refund_accounts import RefundAccountsMutation
from portal.application.doors.graphql.refunds import RefundsMutation, RefundsQuery
from portal.application.doors.graphql.reminders import ContactChoicesMutation
from portal.application.doors.graphql.result_files import ResultFilesMutation, ResultFilesQuery
from portal.application.doors.graphql.schema import HaraiSchema
from portal.application.doors.graphql.sending import SendingMutation
from portal.application.doors.graphql.slip_notices import SlipNoticesMutation
from portal.application.doors.graphql.summary import SummaryQuery
from portal.application.doors.graphql.template_acts import TemplatesMutation
from portal.application.doors.graphql.templates import TemplatesQuery
from portal.application.doors.graphql.transfers import TransfersMutation, TransfersQuery


@strawberry.type(description="What a merchant can look at.")
class Query(
    LoginQuery,
    IntakeQuery,
    BillsQuery,
    RefundsQuery,
    DebitsQuery,
    TransfersQuery,
    FailedFilesQuery,
    MandatesQuery,
    PrintBatchesQuery,
    ResultFilesQuery,
    BillingsQuery,
    ContactsQuery,
    TemplatesQuery,
    MessagePricesQuery,
    LadderPlansQuery,
    PushQuery,
    CasesQuery,
    SummaryQuery,
    FunnelQuery,
):
    """All queries of the merchant schema."""


@strawberry.type(description="What a merchant can do. One act an operation.")
class Mutation(
    LoginMutation,
    IntakeMutation,
    SendingMutation,
    BillsMutation,
    PausesMutation,
    CardActsMutation,
    ContactChoicesMutation,
    RefundsMutation,
    RefundAccountsMutation,
    SlipNoticesMutation,
    DebitsMutation,
    FailedDebitsMutation,
    TransfersMutation,
    MandatesMutation,
    PrintBatchesMutation,
    ResultFilesMutation,
    BillingsMutation,
    ContactsMutation,
    TemplatesMutation,
    MessagePricesMutation,
    LadderPlansMutation,
    PushMutation,
    CasesMutation,
    FunnelMutation,
):
    """All mutations of the merchant schema."""


MERCHANT: Final = HaraiSchema(
    query=Query, mutation=Mutation, types=tuple(dict.fromkeys(USER_ERRORS.values()))
)
