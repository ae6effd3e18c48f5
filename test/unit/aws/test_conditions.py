from __future__ import annotations

import unittest

import account  # noqa: F401 (puts the launcher on the path)
from skyfleet_aws.conditions import UnknownCondition, context_of, holds, matches_pattern


class Patterns(unittest.TestCase):
    def test_a_star_is_any_text_and_a_question_mark_one_character(self) -> None:
        self.assertTrue(matches_pattern("arn:aws:s3:::b/fleets/*", "arn:aws:s3:::b/fleets/local/a\nb"))
        self.assertTrue(matches_pattern("node-?", "node-1"))
        self.assertFalse(matches_pattern("node-?", "node-10"))

    def test_everything_else_stands_for_itself(self) -> None:
        self.assertFalse(matches_pattern("a.b", "axb"))
        self.assertFalse(matches_pattern("a", "ab"))


class Conditions(unittest.TestCase):
    context = {"s3:prefix": ["fleets/local/x"], "aws:securetransport": ["true"]}

    def test_of_several_values_one_is_enough(self) -> None:
        self.assertTrue(holds({"StringLike": {"s3:prefix": ["other/*", "fleets/local/*"]}}, self.context))
        self.assertFalse(holds({"StringLike": {"s3:prefix": ["other/*"]}}, self.context))

    def test_all_operators_and_keys_must_hold(self) -> None:
        both = {"StringLike": {"s3:prefix": "fleets/*"}, "Bool": {"aws:SecureTransport": False}}
        self.assertFalse(holds(both, self.context))

    def test_a_key_that_the_request_does_not_have(self) -> None:
        self.assertFalse(holds({"StringEquals": {"s3:delimiter": "/"}}, self.context))
        self.assertTrue(holds({"StringEqualsIfExists": {"s3:delimiter": "/"}}, self.context))
        self.assertTrue(holds({"StringNotEquals": {"s3:delimiter": "/"}}, self.context))
        self.assertTrue(holds({"Null": {"s3:delimiter": "true"}}, self.context))
        self.assertFalse(holds({"Null": {"s3:prefix": True}}, self.context))

    def test_an_operator_that_is_not_evaluated_is_an_error(self) -> None:
        with self.assertRaisesRegex(UnknownCondition, "NumericLessThan"):
            holds({"NumericLessThan": {"s3:max-keys": "10"}}, self.context)

    def test_the_context_of_a_request(self) -> None:
        environ = {"REMOTE_ADDR": "10.42.1.4", "QUERY_STRING": "list-type=2&prefix=fleets%2Flocal%2F"}
        context = context_of(environ, "us-west-2")
        self.assertEqual(context["s3:prefix"], ["fleets/local/"])
        self.assertEqual(context["aws:requestedregion"], ["us-west-2"])
        self.assertEqual(context["aws:securetransport"], ["true"])


if __name__ == "__main__":
    unittest.main()
