"""CloudWatch Logs and the flow logs that go there. Nothing is delivered: the network counts no flows."""

from __future__ import annotations

from typing import Any

from moto.ec2 import models
from moto.logs import models as logs_models
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import logs_backends

# Their methods are replaced, which their types do not foresee.
EC2Backend: Any = models.EC2Backend
LogsBackend: Any = logs_models.LogsBackend

# The retentions that AWS offers, in days.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)


def apply() -> None:
    only_offered_retentions_are_taken()
    flow_logs_find_their_group_by_arn()


def only_offered_retentions_are_taken() -> None:
    """moto keeps logs for any number of days.
    No longer needed when PutRetentionPolicy with 15 days answers InvalidParameterException."""
    original = LogsBackend.put_retention_policy

    def put_retention_policy(self: Any, log_group_name: str, retention_in_days: Any) -> None:
        if int(retention_in_days) not in RETENTION_DAYS:
            raise InvalidParameterException(
                f"Value {retention_in_days} at 'retentionInDays' is not one of "
                f"{', '.join(map(str, RETENTION_DAYS))}"
            )
        original(self, log_group_name, retention_in_days)

    LogsBackend.put_retention_policy = put_retention_policy


def flow_logs_find_their_group_by_arn() -> None:
    """moto looks a flow log's group up by name only, and reports a failed delivery where LogDestination says which
    group it is.
    No longer needed when a flow log with the LogDestination of a group that exists has DeliverLogsStatus SUCCESS."""
    original = EC2Backend.create_flow_logs

    def create_flow_logs(self: Any, *args: Any, **kwargs: Any) -> Any:
        made, failed = original(self, *args, **kwargs)
        groups = logs_backends[self.account_id][self.region_name].groups.values()
        for flow_log in made:
            destination = (flow_log.log_destination or "").removesuffix(":*")
            if destination in {group.arn.removesuffix(":*") for group in groups}:
                flow_log.deliver_logs_status = "SUCCESS"
                flow_log.deliver_logs_error_message = None
        return made, failed

    EC2Backend.create_flow_logs = create_flow_logs
