"""IAM: policies are evaluated as AWS does where moto guesses."""

from __future__ import annotations

import contextvars
from typing import Any

from moto.core import authorization
from moto.core.exceptions import AccessDeniedError
from moto.iam import access_control, models
from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, PermissionResult, S3IAMRequest
from moto.iam.exceptions import NotFoundException
from moto.s3 import responses as s3_responses
from moto.s3.exceptions import S3AccessDeniedError

from .. import conditions

# Their methods are replaced, which their types do not foresee.
ActionAuthenticatorMixin: Any = authorization.ActionAuthenticatorMixin
IAMBackend: Any = models.IAMBackend
IAMPolicyStatement: Any = access_control.IAMPolicyStatement
IAMRequestBase: Any = access_control.IAMRequestBase

# What the request under way says of itself, for the conditions of the policies that it meets.
request_context: contextvars.ContextVar[conditions.Context] = contextvars.ContextVar("request_context")


def apply() -> None:
    wildcards_are_iams()
    conditions_are_evaluated()
    unsigned_requests_are_denied()
    head_bucket_needs_list_bucket()
    boundaries_exist()
    boundaries_hold()


def wildcards_are_iams() -> None:
    """moto turns a pattern into a regular expression without escaping it, so that `.` stands for any character and `?`
    for a repetition.
    No longer needed when an Allow for `arn:aws:s3:::a.b/*` denies a PutObject to bucket `axb`."""

    def match(pattern: str, string: str) -> bool | None:
        # The callers tell a match from None.
        return True if conditions.matches_pattern(pattern, string) else None

    IAMPolicyStatement._match = staticmethod(match)


def conditions_are_evaluated() -> None:
    """moto knows StringEquals in trust policies only, takes every other condition as met, and an unmet one as a denial:
    a Deny for `aws:SecureTransport: false` denies everything, and an Allow whose condition fails denies what another
    statement allows.
    No longer needed when a bucket policy with that Deny lets a signed PutObject through."""
    original = IAMPolicyStatement.is_action_permitted

    def is_action_permitted(self: Any, action: str, *args: Any, **kwargs: Any) -> PermissionResult:
        block = self._statement.get("Condition")
        context = request_context.get(None)
        if not block or context is None or is_trust(self._statement):
            return PermissionResult(original(self, action, *args, **kwargs))
        if not conditions.holds(block, context):
            return PermissionResult.NEUTRAL
        unconditional = {name: value for name, value in self._statement.items() if name != "Condition"}
        return PermissionResult(original(IAMPolicyStatement(unconditional), action, *args, **kwargs))

    IAMPolicyStatement.is_action_permitted = is_action_permitted


def is_trust(statement: dict[str, Any]) -> bool:
    """A statement of a role's trust policy; moto evaluates these itself."""
    return "Resource" not in statement


def unsigned_requests_are_denied() -> None:
    """moto's authorization takes the Authorization header for granted and fails with a KeyError without one.
    No longer needed when an unsigned GET of an object answers 403 AccessDenied."""
    original = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authenticate(self: Any, iam_request_cls: type, resource: str = "*") -> None:
        if "Credential=" not in self.headers.get("Authorization", ""):
            if iam_request_cls is S3IAMRequest:
                raise S3AccessDeniedError()
            raise AccessDeniedError(user_arn="anonymous", action=self._get_action())
        original(self, iam_request_cls, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authenticate


def head_bucket_needs_list_bucket() -> None:
    """moto asks for an action `s3:HeadBucket`, which IAM does not have.
    No longer needed when a role with nothing but s3:ListBucket may send HeadBucket."""
    s3_responses.ACTION_MAP["BUCKET"]["HEAD"]["DEFAULT"] = "ListBucket"


def boundaries_exist() -> None:
    """moto takes any well-formed ARN as a role's permissions boundary.
    No longer needed when CreateRole and PutRolePermissionsBoundary with the ARN of no policy answer NoSuchEntity."""
    original_create, original_put = IAMBackend.create_role, IAMBackend.put_role_permissions_boundary

    def check(backend: Any, arn: str | None) -> None:
        if arn and backend.policy_arn_regex.match(arn) and arn not in backend.managed_policies:
            raise NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")

    def create_role(
        self: Any,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        check(self, permissions_boundary)
        return original_create(
            self, role_name, assume_role_policy_document, path, permissions_boundary, *args, **kwargs
        )

    def put_role_permissions_boundary(self: Any, role_name: str, permissions_boundary: str) -> None:
        check(self, permissions_boundary)
        original_put(self, role_name, permissions_boundary)

    IAMBackend.create_role = create_role
    IAMBackend.put_role_permissions_boundary = put_role_permissions_boundary


def boundaries_hold() -> None:
    """A role may do what both its policies and its permissions boundary allow; moto does not look at the boundary.
    No longer needed when a role with s3:* and a boundary of s3:GetObject may not put an object."""
    original = IAMRequestBase.check_action_permitted

    def check_action_permitted(self: Any, resource: str) -> None:
        original(self, resource)
        key = self._access_key
        if not isinstance(key, AssumedRoleAccessKey) or self._action == "sts:GetCallerIdentity":
            return
        arn = key.backend.get_role(key._owner_role_name).permissions_boundary_arn
        if arn is None:
            return
        boundary = IAMPolicy(key.backend.get_policy(arn))
        if boundary.is_action_permitted(self._action, resource) != PermissionResult.PERMITTED:
            self._raise_access_denied()

    IAMRequestBase.check_action_permitted = check_action_permitted
