"""The payer schema: the holder of one link. Served at ``/pay/graphql``, trusted documents only.

Zone: application. No query takes an id, so there is nothing to enumerate: ``also`` names bills
as the page itself has named them, and any other name is nobody's.
"""

from typing import Final

import strawberry

from portal.application.doors.graphql.cards import CardsMutation
from portal.application.doors.graphql.failures import USER_ERRORS
from portal.application.doors.graphql.page import PageMutation, PageQuery
from portal.application.doors.graphql.payer_billing import PayerBillingMutation
from portal.application.doors.graphql.payer_mandate import PayerMandateMutation
from portal.application.doors.graphql.payer_refund import PayerRefundMutation
from portal.application.doors.graphql.payment import PaymentMutation, PaymentQuery
from portal.application.doors.graphql.push import PayerPushMutation
from portal.application.doors.graphql.reminders import RemindersMutation
from portal.application.doors.graphql.schema import HaraiSchema
from portal.application.doors.graphql.slip import SlipMutation


@strawberry.type(description="What the holder of a link can look at.")
class Query(PageQuery, PaymentQuery):
    """All queries of the payer schema."""


@strawberry.type(description="What the holder of a link can do. One act an operation.")
class Mutation(
    PageMutation,
    PaymentMutation,
    SlipMutation,
    CardsMutation,
    PayerMandateMutation,
    RemindersMutation,
    PayerPushMutation,
    PayerBillingMutation,
    PayerRefundMutation,
):
    """All mutations of the payer schema."""


PAYER: Final = HaraiSchema(
    query=Query, mutation=Mutation, types=tuple(dict.fromkeys(USER_ERRORS.values()))
)
