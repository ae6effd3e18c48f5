"""The Condition block of a policy statement, for the operators and keys that policies of this account use."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

# What a request says of itself: condition key in lower case -> its values.
Context = dict[str, list[str]]


def context_of(environ: dict[str, Any], region: str | None) -> Context:
    """The keys of a request. The endpoint speaks HTTP but stands for AWS's, which is reached over TLS."""
    context: Context = {"aws:securetransport": ["true"], "aws:sourceip": [environ.get("REMOTE_ADDR", "")]}
    if region:
        context["aws:requestedregion"] = [region]
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for name in ("prefix", "delimiter", "max-keys"):
        if name in query:
            context[f"s3:{name}"] = query[name]
    for name in ("acl", "server-side-encryption", "server-side-encryption-aws-kms-key-id", "storage-class"):
        value = environ.get(f"HTTP_X_AMZ_{name.upper().replace('-', '_')}")
        if value is not None:
            context[f"s3:x-amz-{name}"] = [value]
    return context


class UnknownCondition(Exception):
    """An operator that is not evaluated here; a request under such a policy is refused rather than guessed about."""


def matches_pattern(pattern: str, value: str) -> bool:
    """IAM's wildcards: * is any text and ? one character; everything else stands for itself."""
    regex = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(regex, value, re.DOTALL) is not None


def like(expected: str, actual: str) -> bool:
    return matches_pattern(expected, actual)


def equals(expected: str, actual: str) -> bool:
    return expected == actual


def equals_ignoring_case(expected: str, actual: str) -> bool:
    return expected.lower() == actual.lower()


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": equals,
    "StringEqualsIgnoreCase": equals_ignoring_case,
    "StringLike": like,
    "ArnEquals": like,
    "ArnLike": like,
    "Bool": equals_ignoring_case,
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def as_list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def holds(conditions: dict[str, dict[str, Any]], context: Context) -> bool:
    """All operators and all keys must hold; of several values one is enough."""
    return all(
        key_holds(operator, as_list(expected), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def key_holds(operator: str, expected: list[str], actual: list[str] | None) -> bool:
    if operator == "Null":
        return (actual is None) == (expected == ["true"])
    if_exists = operator.endswith("IfExists")
    name = operator.removesuffix("IfExists")
    positive = NEGATED.get(name, name)
    if positive not in OPERATORS:
        raise UnknownCondition(f"the emulated account does not evaluate the condition operator {operator}")
    if actual is None:
        # A key that the request does not have: positive operators fail, negated ones hold.
        return if_exists or name in NEGATED
    matched = any(OPERATORS[positive](one, value) for one in expected for value in actual)
    return not matched if name in NEGATED else matched
